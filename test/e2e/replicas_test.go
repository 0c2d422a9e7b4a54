package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/test/fakesmtp"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

const shopPath = "/in/shop/e2e-shop-token-0123456789"

// replicas starts n gates on one PostgreSQL database of their own, with one
// folder for files.
func replicas(t *testing.T, n int, config string) []*lab.Gate {
	t.Helper()
	database, folder := pgtest.Shared(t).URL(t), filepath.Join(t.TempDir(), "files")
	gates := make([]*lab.Gate, n)
	for i := range gates {
		gates[i] = lab.New(t, config)
		gates[i].Database, gates[i].Files, gates[i].Lease = database, folder, "5s"
		gates[i].Start()
	}
	return gates
}

// A replay that one replica began and did not end goes on at another, also when
// two are told so at once: no event twice, none left out. Without the condition
// on the cursor of the run both of them make deliveries.
func TestReplicas_replay(t *testing.T) {
	t.Parallel()
	const n = 60
	sink := lab.NewSink(t, nil)
	gates := replicas(t, 3, shop(sink.URL, "bezahlt"))
	var ids []string
	for i := range n {
		body := fmt.Sprintf(`{"number":%d,"status":"paid","customer":"c%d","total":0}`, i, i%5)
		ids = append(ids, gates[i%3].Accepted(gates[i%3].PostJSON(shopPath, []byte(body))))
	}
	for _, g := range gates {
		g.Configure(shop(sink.URL, "paid"))
		g.MustCLI("reload")
	}
	ended := make(chan lab.Result, 1)
	go func() { ended <- gates[0].CLI("events", "replay", "--status", "no-match", "--yes", "--rate", "40/s") }()
	sink.Await(t, 10)
	gates[0].Kill()
	stopped := <-ended
	_, run, found := strings.Cut(stopped.Stderr, "--continue ")
	if stopped.Code != 4 || !found {
		t.Fatalf("exit %d, want 4 and how to go on: %s", stopped.Code, stopped.Stderr)
	}
	var both sync.WaitGroup
	for _, g := range gates[1:] {
		both.Go(func() { g.CLI("events", "replay", "--continue", strings.TrimSpace(run)) })
	}
	both.Wait()
	has(t, "the run", gates[2].MustCLI("events", "replay", "--continue", strings.TrimSpace(run)), "60 events replayed, 60 deliveries made")
	for i, id := range ids {
		if ev := gates[1+i%2].Settled(id); len(ev.Deliveries) != 1 || ev.Deliveries[0].State != "delivered" {
			t.Errorf("event %d: %+v, want one delivery", i, ev.Deliveries)
		}
	}
}

// Who watches one replica sees what the others accept.
func TestReplicas_tail(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	gates := replicas(t, 2, shop(sink.URL, "paid"))
	lines := tail(t, gates[0])
	for i, g := range []*lab.Gate{gates[1], gates[0], gates[1]} {
		id := g.Accepted(g.PostJSON(shopPath, fmt.Appendf(nil, `{"number":%d,"status":"paid","customer":"c","total":0}`, i)))
		if got := shown(t, lines); got.ID != id || len(got.Deliveries) != 1 || got.Deliveries[0].State != "delivered" {
			t.Errorf("post %d: got %+v, want %s with its delivery", i, got, id)
		}
	}
}

// A pause holds after a restart of every replica, and the rate of going on is
// that of all together: of so many, each of them gets some to send. Without the
// division by the number of replicas they go in two seconds.
func TestReplicas_resumeRate(t *testing.T) {
	t.Parallel()
	const n, rate = 2400, 600
	sink := lab.NewSink(t, nil)
	gates := replicas(t, 2, shop(sink.URL, "paid"))
	gates[0].MustCLI("connections", "pause", "stock")
	for _, g := range gates {
		if code := g.Stop(); code != 0 {
			t.Errorf("exit %d", code)
		}
	}
	for _, g := range gates {
		g.Start()
	}
	var senders sync.WaitGroup
	for k := range 16 {
		senders.Go(func() {
			for i := k; i < n; i += 16 {
				gates[i%2].PostJSON(shopPath, fmt.Appendf(nil, `{"number":%d,"status":"paid","customer":"c%d","total":0}`, i, i))
			}
		})
	}
	senders.Wait()
	// Each looks how many there are every 5 seconds.
	lab.Stays(t, 6*time.Second, "nothing is sent", func() bool { return sink.Count() == 0 })
	if held := gates[1].Deliveries("--state", "held", "--limit", "10000"); len(held) != n {
		t.Errorf("%d are held, want %d", len(held), n)
	}
	begun := time.Now()
	gates[1].MustCLI("connections", "resume", "stock", "--rate", fmt.Sprint(rate, "/s"))
	sink.Await(t, n)
	if took, least := time.Since(begun), 3*time.Second; took < least {
		t.Errorf("%d were sent in %s, want at least %s", n, took, least)
	}
}

// A reply goes once a day and address, and a post is released once, whichever
// replicas are asked at the same moment. Without the row for the reply's key,
// and without the condition on the state, there is one more of each.
func TestReplicas_formsOnce(t *testing.T) {
	t.Parallel()
	s, err := fakesmtp.Start(fakesmtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	gates := replicas(t, 3, mailForm(t, s))
	post := func(g *lab.Gate, name string, more ...string) {
		r := g.Do(http.MethodPost, "/f/contact", []byte("name="+name+"&email=ada%40example.com&message="+url.QueryEscape(name)+strings.Join(more, "")), "Content-Type", formType)
		if r.Status != http.StatusSeeOther {
			t.Errorf("status %d: %s", r.Status, r.Body)
		}
	}
	post(gates[0], "Bot", "&_gotcha=1")
	spam := gates[1].Events("--state", "spam")
	if len(spam) != 1 {
		t.Fatalf("%d kept as spam, want 1", len(spam))
	}
	var wg sync.WaitGroup
	results := make([]lab.Result, 3)
	for i, g := range gates {
		wg.Go(func() { results[i] = g.CLI("forms", "notspam", spam[0].ID) })
		for k := range 5 {
			wg.Go(func() { post(g, fmt.Sprint("Ada", i, k)) })
		}
	}
	wg.Wait()
	released := 0
	for _, r := range results {
		if r.Code == 0 {
			released++
		}
	}
	if released != 1 {
		t.Errorf("released %d times, want once: %+v", released, results)
	}
	// 16 posts, each told to sales once, and one reply.
	for _, e := range gates[2].Events("--limit", "100") {
		gates[2].Settled(e.ID)
	}
	all := s.Wait(17, lab.Patience)
	if sales, replies := len(byRecipient(all, "sales@agency.example")), len(byRecipient(all, "ada@example.com")); sales != 16 || replies != 1 || len(all) != 17 {
		t.Errorf("%d mails to sales, %d replies, want 16 and 1", sales, replies)
	}
	export := gates[0].MustCLI("forms", "export", "contact")
	if lines := strings.Count(strings.TrimSpace(export), "\n"); lines != 16 {
		t.Errorf("the export of one replica has %d posts, want all 16:\n%s", lines, export)
	}
}
