package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app/cli"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	got := run(t, "demo", "--once")
	if got.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", got.code, got.errOut, got.out)
	}
	for _, want := range []string{
		`data.previousStatus == "Interest"    true`, `false  it is "Preparation"`, `"website_id":321654`, "signature verified",
		"*Harry's Diner* moved from Publish to *Done*", "a comma is missing", "New lead: Ada Lovelace",
		"scheduled for ", "gathered in a digest, which closes ", "2 to come", "kept as spam", "4 of 4 expected deliveries arrived.",
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	for line := range strings.Lines(got.out) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && !strings.Contains(line, "/hookgate-demo-") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	_, rest, _ := strings.Cut(got.out, "  config    ")
	config, _, _ := strings.Cut(rest, "\n")
	if _, err := os.Stat(filepath.Dir(config)); config == "" || !os.IsNotExist(err) {
		t.Errorf("it left its folder, of %q: %v", config, err)
	}
}

// syncBuffer is a buffer that can be waited on for a text.
type syncBuffer struct {
	w *io.PipeWriter
	r *bufio.Reader
}

func newSyncBuffer() *syncBuffer {
	r, w := io.Pipe()
	return &syncBuffer{w: w, r: bufio.NewReader(r)}
}

// until reads up to a line that holds text.
func (b *syncBuffer) until(t *testing.T, text string) string {
	t.Helper()
	for {
		line, err := b.r.ReadString('\n')
		if err != nil {
			t.Fatalf("%v before %q", err, text)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

func TestDemo_servesOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := newSyncBuffer()
	var errOut bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, []string{"demo"}, strings.NewReader(""), out.w, &errOut)
		_ = out.w.Close()
	}()
	link := out.until(t, "/ui/login/")
	once := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := once.Get(strings.TrimSpace(link[strings.Index(link, "http"):]))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Set-Cookie") == "" {
		t.Errorf("the link that logs in: %d %v", res.StatusCode, res.Header)
	}
	config := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(out.until(t, "export HOOKGATE_CONFIG=")), "export HOOKGATE_CONFIG="))
	out.until(t, "hookgate deliveries list")
	out.until(t, "hookgate events send sitejet --sample")
	list := run(t, "events", "list", "-c", config)
	if list.code != 0 || strings.Count(list.out, "\n") < 20 {
		t.Errorf("events list: %+v", list)
	}
	// Its first week: on a Monday its first two days are a weekend, when little comes in.
	old := run(t, "events", "list", "--until", "23d", "--json", "-c", config)
	if old.code != 0 || !strings.Contains(old.out, `"state":"routed"`) && !strings.Contains(old.out, `"state": "routed"`) {
		t.Errorf("nothing is there of the made-up month: %+v", old)
	}
	if failed := run(t, "deliveries", "list", "--state", "failed", "-c", config); !strings.Contains(failed.out, "this customer is not known") {
		t.Errorf("nothing failed in the made-up month: %+v", failed)
	}
	// Something of each kind, for its page.
	for _, kind := range [][]string{
		{"deliveries", "list", "--state", "scheduled"}, {"digests", "list"}, {"tables", "export", "leads"}, {"forms", "files", "contact"},
	} {
		if got := run(t, append(kind, "-c", config)...); got.code != 0 || strings.Count(got.out, "\n") < 2 {
			t.Errorf("%s: %+v", strings.Join(kind, " "), got)
		}
	}
	sent := run(t, "events", "send", "sitejet", "--sample", "--set", "website.status=Assign", "-c", config)
	if sent.code != 0 {
		t.Errorf("events send: %+v", sent)
	}
	out.until(t, "slack received")
	out.until(t, "moved from Publish to *Assign*")
	cancel()
	go func() { _, _ = io.Copy(io.Discard, out.r) }()
	if got := <-code; got != 0 {
		t.Errorf("exit %d: %s", got, errOut.String())
	}
	if _, err := os.Stat(config); !os.IsNotExist(err) {
		t.Errorf("the demo left %s", config)
	}
}
