package slack_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
	"hookgate/test/fakeslack"
)

func slackBot(t *testing.T, slack *fakeslack.Server, memory connectors.Memory) connectors.Connector {
	t.Helper()
	deps := connectortest.Deps(t)
	deps.Memory = memory
	return connectortest.MustConnector(t, "slack", "bot_token: "+fakeslack.Token+"\nchannel: '#leads'\napi_url: "+slack.APIURL(), deps)
}

// Later messages of a key answer in the thread of the first one, in its
// channel, and also after a restart.
func TestSlack_threads(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	kept := connectors.NewMemory()
	c := slackBot(t, slack, kept)
	send := func(output string) fakeslack.Message {
		t.Helper()
		receipt, err := c.Deliver(t.Context(), connectortest.Delivery(output))
		if err != nil {
			t.Fatal(err)
		}
		all := slack.Messages()
		last := all[len(all)-1]
		if diff := cmp.Diff(event.TextOutputs(map[string]string{"id": last.TS, "channel": fakeslack.ChannelID(last.Channel)}), receipt.Outputs); diff != "" {
			t.Errorf("%s: the outputs: %s", output, diff)
		}
		return last
	}
	first := send(`{"text":"one","thread_key":"k","channel":"#other"}`)
	if first.ThreadTS != "" || first.Channel != "#other" {
		t.Errorf("the first: %+v", first)
	}
	c = slackBot(t, slack, kept)
	second, another := send(`{"text":"two","thread_key":"k"}`), send(`{"text":"x","thread_key":"other"}`)
	if second.ThreadTS != first.TS || second.Channel != fakeslack.ChannelID("#other") || another.ThreadTS != "" || another.Channel != "#leads" {
		t.Errorf("%+v, %+v", second, another)
	}
	// update replaces it, and posts where there is nothing to replace.
	if m := send(`{"text":"now this","update":"k"}`); m.Via != "update" || m.TS != first.TS || m.Text != "now this" {
		t.Errorf("update: %+v", m)
	}
	fresh := send(`{"text":"a","update":"new"}`)
	if again := send(`{"text":"b","update":"new"}`); fresh.Via != "api" || again.Via != "update" || again.TS != fresh.TS {
		t.Errorf("%+v, %+v", fresh, again)
	}
	// One that is gone is posted anew, and that one is replaced from then on.
	if err := kept.Put(t.Context(), "message new", `{"channel":"#leads","ts":"1.000001"}`); err != nil {
		t.Fatal(err)
	}
	anew := send(`{"text":"c","update":"new"}`)
	if m := send(`{"text":"d","update":"new"}`); anew.Via != "api" || m.Via != "update" || m.TS != anew.TS {
		t.Errorf("%+v, %+v", anew, m)
	}
}

// Without the lock on the key, messages at the same moment would each begin a
// thread of their own.
func TestSlack_threadsTogether(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	c := slackBot(t, slack, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"x","thread_key":"k"}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	starts := 0
	for _, m := range slack.Messages() {
		if m.ThreadTS == "" {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("%d threads", starts)
	}
}

// People are looked up once; whom Slack does not know is named by the address.
func TestSlack_mention(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	c := slackBot(t, slack, nil)
	for range 2 {
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"please look","mention":["Ada Lovelace <ada@agency.example>",null,"<!channel>@x.example"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"t","blocks":[{"type":"divider"}],"mention":"bob@agency.example"}`)); err != nil {
		t.Fatal(err)
	}
	var texts, lookups []string
	for _, m := range slack.Requests() {
		if m.Via == "lookup" {
			lookups = append(lookups, m.Text)
			continue
		}
		texts = append(texts, m.Text)
		if len(m.Blocks) > 0 && len(m.Blocks) != 2 {
			t.Errorf("blocks: %v", m.Blocks)
		}
	}
	want := "<@U0ADA> &lt;!channel&gt;@x.example please look"
	if diff := cmp.Diff([]string{want, want, "<@U0BOB> t"}, texts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ada@agency.example", "<!channel>@x.example", "bob@agency.example"}, lookups); diff != "" {
		t.Error(diff)
	}
	slack.Script(fakeslack.Answer{Body: `{"ok":false,"error":"missing_scope","needed":"users:read.email"}`})
	_, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"t","mention":"eve@agency.example"}`))
	if connectortest.Outcome(err) != "permanent" || !strings.Contains(err.Error(), "the bot needs the scope users:read.email") {
		t.Errorf("got %v", err)
	}
}

func TestSlack_botKeys(t *testing.T) {
	t.Parallel()
	bot := connectortest.MustKind(t, "slack").ActionFor(connectortest.MustParse(t, "bot_token: x\nchannel: '#x'"))
	hook := connectortest.MustKind(t, "slack").ActionFor(connectortest.MustParse(t, "webhook_url: https://hooks.slack.com/services/x"))
	if got := connectortest.CheckAction(t, bot, "text: x\nupdate: a\nthread_key: b"); !strings.Contains(got, `error[conflict] config.yaml:2:1: a message either`) {
		t.Errorf("got %s", got)
	}
	if got := connectortest.CheckAction(t, hook, "text: x\nthread_key: b\nmention: a@x.example"); strings.Count(got, "is not possible with an incoming webhook") != 2 {
		t.Errorf("got %s", got)
	}
	if got := connectortest.CheckAction(t, bot, "text: x\nthread_key: ${{ data.id }}\nmention: ${{ data.email }}"); got != "" {
		t.Errorf("got %s", got)
	}
}

// Of messages of one key that several replicas have at the same moment one
// begins the thread, and all others answer in it.
//
// Negative control: without Claim in firstOf several threads begin.
func TestSlack_threadOfReplicas(t *testing.T) {
	t.Parallel()
	slack, kept := fakeslack.New(t), connectors.NewMemory()
	replicas := []connectors.Connector{slackBot(t, slack, kept), slackBot(t, slack, kept), slackBot(t, slack, kept)}
	var wg sync.WaitGroup
	const keys, each = 4, 6
	for i := range keys * each {
		wg.Go(func() {
			output := fmt.Sprintf(`{"text":"k%d","thread_key":"k%d"}`, i%keys, i%keys)
			if _, err := replicas[i/keys%3].Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	begun, answers := map[string]string{}, map[string]int{}
	for _, m := range slack.Messages() {
		if m.ThreadTS != "" {
			answers[m.Text+" "+m.ThreadTS]++
			continue
		}
		if begun[m.Text] != "" {
			t.Errorf("a second thread of %s begins", m.Text)
		}
		begun[m.Text] = m.TS
	}
	for text, ts := range begun {
		if n := answers[text+" "+ts]; n != each-1 {
			t.Errorf("%s: %d answers are in its thread, want %d", text, n, each-1)
		}
	}
	if len(begun) != keys {
		t.Errorf("%d threads, want %d", len(begun), keys)
	}
}

// A claim of a replica that died is over some time after its attempt, and one
// that was released by a late one is not taken from who has it now.
func TestMemory_claim(t *testing.T) {
	t.Parallel()
	m := connectors.NewMemory()
	claim := func(keep time.Duration) func() {
		t.Helper()
		release, err := m.Claim(t.Context(), "k", keep)
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	late := claim(-1)
	second := claim(time.Hour)
	if late == nil || second == nil {
		t.Fatal("a claim that is over is not free")
	}
	if late(); claim(time.Hour) != nil {
		t.Error("a late release ended another's claim")
	}
	if second(); claim(time.Hour) == nil {
		t.Error("what was released is not free")
	}
}
