package connectors_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/connectors/recipe"
	"hookgate/internal/event"
)

// receiver answers a sample's requests in their order and remembers them.
type receiver struct {
	mu     sync.Mutex
	sample *recipe.Sample
	last   recipe.Expected
	bodies []string
	got    []*http.Request
	texts  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	r.got, r.texts = append(r.got, req), append(r.texts, string(body))
	w.Header().Set("Content-Type", "application/json")
	at := len(r.got) - 1
	if at < len(r.sample.Requests)-1 {
		w.WriteHeader(or(r.sample.Requests[at].Status, 200))
		_, _ = io.WriteString(w, r.bodies[at])
		return
	}
	for name, value := range r.last.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.last.Status)
	_, _ = io.WriteString(w, r.bodies[len(r.bodies)-1])
}

func or(status, otherwise int) int {
	if status != 0 {
		return status
	}
	return otherwise
}

// The requests of every sample are those written in the recipe, and each of
// the vendor's answers means what is written there.
func TestRecipes_samples(t *testing.T) {
	t.Parallel()
	for _, r := range mustRecipes(t) {
		for i := range r.Samples {
			s := &r.Samples[i]
			t.Run(fmt.Sprintf("%s/%d %s", r.Name, i+1, s.Action), func(t *testing.T) {
				t.Parallel()
				if len(s.Requests) == 0 || len(s.Answers) == 0 {
					t.Fatal("it has no request or no answer")
				}
				for _, want := range s.Answers {
					tryAnswer(t, r, s, want)
				}
			})
		}
	}
}

func tryAnswer(t *testing.T, r *recipe.Recipe, s *recipe.Sample, want recipe.Expected) {
	t.Helper()
	rec := &receiver{sample: s, last: want}
	for _, req := range s.Requests[:len(s.Requests)-1] {
		rec.bodies = append(rec.bodies, answerText(t, req.Answer))
	}
	rec.bodies = append(rec.bodies, answerText(t, want.Body))
	base := mustServe(t, rec.ServeHTTP)
	settings := sample{settings: settingsText(t, s.Settings)}.at(base)
	output, err := json.Marshal(s.Output.Any())
	if err != nil {
		t.Fatal(err)
	}
	c := mustConnector(t, r.Name, settings, testDeps(t))
	var receipt event.Receipt
	if s.Test {
		receipt, err = tryConnection(t, c, want)
	} else {
		receipt, err = c.Deliver(t.Context(), delivery(string(output)))
	}
	where := fmt.Sprintf("%d %s", want.Status, rec.bodies[len(rec.bodies)-1])
	if got := outcome(err); got != want.Is.Value || receipt.Status != want.Status {
		t.Errorf("%s: got %s (%v) with status %d, want %s", where, got, err, receipt.Status, want.Is.Value)
	}
	if want.Outputs != nil {
		checkOutputs(t, r, s, want, settings, string(output))
	}
	if want.Message != "" && (err == nil || !strings.Contains(err.Error(), want.Message)) {
		t.Errorf("%s: got %v, want %q in it", where, err, want.Message)
	}
	if want.After != "" {
		if after, _ := time.ParseDuration(want.After); waitOf(err) != after {
			t.Errorf("%s: got %s, want %s to wait", where, waitOf(err), after)
		}
	}
	if len(rec.got) != len(s.Requests) {
		t.Fatalf("%s: there were %d requests, want %d", where, len(rec.got), len(s.Requests))
	}
	for i := range s.Requests {
		compareRequest(t, &s.Requests[i], rec.got[i], rec.texts[i])
	}
}

// tryConnection tries c, whose receiver answers as want says.
func tryConnection(t *testing.T, c connectors.Connector, want recipe.Expected) (event.Receipt, error) {
	t.Helper()
	tester, can := c.(connectors.Tester)
	if !can {
		t.Fatal("it cannot be tried")
	}
	if trial := tester.Trial(); trial.Message || trial.What == "" {
		t.Errorf("got %+v", trial)
	}
	tried, err := tester.Try(t.Context(), 4711)
	if !strings.Contains(tried.Said, want.Says) || want.Says == "" && tried.Said != "" || strings.Contains(tried.Said, "canary") {
		t.Errorf("it says %q, want %q", tried.Said, want.Says)
	}
	return tried.Receipt, err
}

// checkOutputs checks what is read from the last answer.
func checkOutputs(t *testing.T, r *recipe.Recipe, s *recipe.Sample, want recipe.Expected, settings, output string) {
	t.Helper()
	values, list := r.Values(mustParse(t, settings), connectors.CommonKeys()...)
	if len(list) > 0 {
		t.Fatal(list)
	}
	call, err := r.Call(values, delivery(output))
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Requests {
		if req, err := call.Next(); err != nil || req == nil {
			t.Fatalf("request %d: got %v, %v", i+1, req, err)
		}
		status, body := or(s.Requests[i].Status, 200), s.Requests[i].Answer
		if i == len(s.Requests)-1 {
			status, body = want.Status, want.Body
		}
		call.Judge(recipe.Answer{Status: status, Body: []byte(answerText(t, body))})
	}
	got := call.Outputs()
	for name, value := range want.Outputs {
		if got[name] != value {
			t.Errorf("%s: got %q, want %q", name, got[name], value)
		}
	}
}

// Deliveries under way at the same time share nothing that one of them changes.
func TestRecipes_concurrent(t *testing.T) {
	t.Parallel()
	base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		var lead struct{ LastName string }
		if err := json.NewDecoder(r.Body).Decode(&lead); err != nil || r.URL.Path != "/services/data/v62.0/sobjects/"+lead.LastName || r.Header.Get("Authorization") != "Bearer "+accessToken {
			t.Errorf("got %s with %+v, %v", r.URL.Path, lead, err)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1","success":true}`)
	})
	c := mustConnector(t, "salesforce", "login_url: "+tokenURL(base)+"\noauth: { client_id: me, client_secret: canary-sf-0202 }", testDeps(t))
	var sending sync.WaitGroup
	for worker := range 4 {
		sending.Go(func() {
			for n := range 25 {
				name := fmt.Sprintf("Lead_%d_%d", worker, n)
				if _, err := c.Deliver(t.Context(), delivery(fmt.Sprintf(`{"create":%[1]q,"fields":{"LastName":%[1]q}}`, name))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
}

func compareRequest(t *testing.T, want *recipe.Golden, got *http.Request, body string) {
	t.Helper()
	method := "POST"
	if want.Method != "" {
		method = want.Method
	}
	wanted, err := url.Parse(want.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != method || got.URL.EscapedPath() != wanted.EscapedPath() {
		t.Errorf("got %s %s, want %s %s", got.Method, got.URL.EscapedPath(), method, wanted.EscapedPath())
	}
	if d := cmp.Diff(wanted.Query(), got.URL.Query()); d != "" {
		t.Errorf("query: %s", d)
	}
	for name, value := range want.Headers {
		if got.Header.Get(name) != value {
			t.Errorf("header %s: got %q, want %q", name, got.Header.Get(name), value)
		}
	}
	switch {
	case !want.JSON.IsZero():
		var has any
		if err := json.Unmarshal([]byte(body), &has); err != nil {
			t.Fatalf("got %s: %v", body, err)
		}
		if d := cmp.Diff(sameNumbers(t, want.JSON.Any()), has); d != "" {
			t.Errorf("body: %s", d)
		}
	case want.Form != nil:
		has, err := url.ParseQuery(body)
		if err != nil {
			t.Fatal(err)
		}
		wanted := url.Values{}
		for name, value := range want.Form {
			wanted.Set(name, value)
		}
		if d := cmp.Diff(wanted, has); d != "" {
			t.Errorf("form: %s", d)
		}
	default:
		if d := cmp.Diff(want.Body, body); d != "" {
			t.Errorf("body: %s", d)
		}
	}
}

// sameNumbers is value as encoding/json decodes it.
func sameNumbers(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
