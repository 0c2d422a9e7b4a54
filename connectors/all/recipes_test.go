package all_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/connectors/recipe"
	"hookgate/connectors/recipes"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/test/connectortest"
)

// In the settings of a recipe's samples BASE stands for the receiver's
// address, TOKEN for that of a server that gives access tokens, and
// PRIVATE_KEY for an RSA key.

// accessToken is what the token server gives; it must not be shown.
const accessToken = "canary-access-token-0000"

// privateKey is an RSA key in PEM, made once for all tests.
var privateKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
})

// tokenServer gives access tokens for as long as the tests run. The start of
// the path it is called by says for which receiver.
var tokenServer = sync.OnceValue(func() string {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		receiver, err := base64.RawURLEncoding.DecodeString(strings.Split(r.URL.Path, "/")[1])
		if err != nil || r.Method != http.MethodPost || r.ParseForm() != nil || r.PostForm.Get("grant_type") == "" {
			http.Error(w, "not a request for a token", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","instance_url":%q}`, accessToken, receiver)
	})).URL
})

func tokenURL(base string) string {
	return tokenServer() + "/" + base64.RawURLEncoding.EncodeToString([]byte(base))
}

// settingsText is a sample's settings as YAML, with the placeholders left in
// that depend on the receiver.
func settingsText(t testing.TB, n yamlnode.Node) string {
	t.Helper()
	var lines strings.Builder
	for _, f := range n.Fields() {
		text, err := json.Marshal(withKeys(f.Value.Any()))
		if err != nil {
			t.Fatal(err)
		}
		lines.WriteString(f.Key.Value + ": " + string(text) + "\n")
	}
	return lines.String()
}

func withKeys(value any) any {
	switch x := value.(type) {
	case map[string]any:
		for key, inner := range x {
			x[key] = withKeys(inner)
		}
	case string:
		if x == "PRIVATE_KEY" {
			return privateKey()
		}
		quoted, _ := json.Marshal(privateKey())
		return strings.ReplaceAll(x, "PRIVATE_KEY", strings.Trim(string(quoted), `"`))
	}
	return value
}

// secretsIn are the values of the secret settings.
func secretsIn(r *recipe.Recipe, n yamlnode.Node) []string {
	var list []string
	var collect func(specs []yamlnode.Spec, n yamlnode.Node)
	collect = func(specs []yamlnode.Spec, n yamlnode.Node) {
		for _, s := range specs {
			value := n.Get(s.Name)
			if text := value.Text().Value; s.Secret && text != "" && !strings.Contains(text, "PRIVATE_KEY") && !strings.Contains(text, "BASE") {
				list = append(list, text)
			}
			collect(s.Fields, value)
		}
	}
	var specs []yamlnode.Spec
	for _, s := range r.Settings {
		specs = append(specs, s.Spec)
	}
	collect(specs, n)
	return list
}

func mustRecipes(t testing.TB) []*recipe.Recipe {
	t.Helper()
	recipes, list := recipes.All()
	if list.Err() != nil {
		t.Fatal("the recipes do not compile")
	}
	return recipes
}

// recipeSamples is a sample of each recipe, for the promises that every kind
// keeps: the first with a single request. Where there is none, it is one of
// which every request takes the last one's answer for a success.
func recipeSamples(t testing.TB) map[string]map[string]sample {
	t.Helper()
	all := map[string]map[string]sample{}
	for _, r := range mustRecipes(t) {
		for i, s := range r.Samples {
			if s.Test || len(s.Answers) == 0 || s.Answers[0].Is.Value != "delivered" || len(s.Requests) != 1 && all[r.Name] != nil {
				continue
			}
			output, err := json.Marshal(s.Output.Any())
			if err != nil {
				t.Fatal(err)
			}
			first := s.Answers[0]
			one := sample{
				settings: settingsText(t, s.Settings), secrets: secretsIn(r, s.Settings), output: string(output),
				success: answerText(t, first.Body), statuses: []int{first.Status},
			}
			if strings.Contains(one.settings, "TOKEN") {
				one.secrets = append(one.secrets, accessToken)
			}
			all[r.Name] = map[string]sample{fmt.Sprintf("sample %d", i+1): one}
			if len(s.Requests) == 1 {
				break
			}
		}
	}
	return all
}

// answerText is an answer's body: a text as it stands, else as JSON.
func answerText(t testing.TB, n yamlnode.Node) string {
	t.Helper()
	if n.Kind() == yamlnode.Scalar || n.Kind() == yamlnode.Null {
		return n.Text().Value
	}
	text, err := json.Marshal(n.Any())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A broken built-in recipe is no kind at all: none may be broken.
func TestRecipes_compile(t *testing.T) {
	t.Parallel()
	recipes, list := recipes.All()
	for _, d := range list {
		t.Error(d)
	}
	if len(recipes) == 0 {
		t.Error("there are none")
	}
	catalog := all.Catalog()
	for _, r := range recipes { // a catalog finds them by the names of their files
		if k, ok := catalog.Find(r.Name); !ok || k.Name != r.Name {
			t.Errorf("recipes/%s.yaml: there is no such file, or another recipe in it", r.Name)
		}
	}
}

// Every recipe says where its facts come from, and every action of it has a
// sample with a success, a refusal and something that may go away.
func TestRecipes_whole(t *testing.T) {
	t.Parallel()
	for _, r := range mustRecipes(t) {
		if r.Link == "" || r.Verified == "" {
			t.Errorf("%s: link and verified are not given", r.Name)
		}
		classes := map[string]map[string]bool{}
		for _, s := range r.Samples {
			if classes[s.Action] == nil {
				classes[s.Action] = map[string]bool{}
			}
			for _, a := range s.Answers {
				classes[s.Action][a.Is.Value] = true
			}
		}
		if r.Test != nil && (!classes[""]["delivered"] || !classes[""]["permanent"]) {
			t.Errorf("%s: no sample of its test has an answer that is delivered and one that is permanent", r.Name)
		}
		anyTransient := false
		for _, a := range r.Actions {
			anyTransient = anyTransient || classes[a.Name]["transient"]
			for _, class := range []string{"delivered", "permanent"} {
				if !classes[a.Name][class] {
					t.Errorf("%s: no sample of %s has an answer that is %s", r.Name, a.Name, class)
				}
			}
		}
		if !anyTransient {
			t.Errorf("%s: no sample has an answer that is transient", r.Name)
		}
	}
}

// Every connection by recipe can be tried, but for those of which the receiver
// takes whatever it is sent for a message.
func TestRecipes_triable(t *testing.T) {
	t.Parallel()
	silent := []string{"google_chat", "make", "mattermost", "n8n", "pagerduty", "salesforce_web_to_lead", "teams", "zapier"}
	for _, r := range mustRecipes(t) {
		if (r.Test == nil) != slices.Contains(silent, r.Name) {
			t.Errorf("%s: it has a test: %v", r.Name, r.Test != nil)
		}
		s := r.Samples[0]
		base := connectortest.MustServe(t, func(http.ResponseWriter, *http.Request) { t.Errorf("%s was called", r.Name) })
		_, can := connectortest.MustConnector(t, r.Name, sample{settings: settingsText(t, s.Settings)}.at(base), connectortest.Deps(t)).(connectors.Tester)
		if can != (r.Test != nil) {
			t.Errorf("%s: it can be tried: %v", r.Name, can)
		}
	}
}

// Settings that cannot be used are refused with their place, and without their
// values.
func TestRecipes_settings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mailchimp api_key: canary\nlist_id: x": `error[bad-value] config.yaml:1:10: "api_key" does not look as it should (it ends in the data centre such as -us21)`,
		"salesforce login_url: https://x.example\noauth: { client_id: canary }": `error[bad-value] config.yaml:1:1: a salesforce connection: the login cannot be made of the settings: one of them is missing ` +
			`(hookgate connectors show salesforce tells what goes together)`,
		"salesforce login_url: https://x.example\noauth: { client_id: a, username: b, private_key: canary }": `error[bad-value] config.yaml:2:50: "private_key" is not an RSA private key in PEM (it starts with -----BEGIN PRIVATE KEY-----)`,
		"salesforce login_url: ftp://canary.example\noauth: { client_id: a, client_secret: b }":              `error[bad-url] config.yaml:1:12: "login_url" is no usable URL: its scheme is neither https nor http (write it like https://host/path)`,
	} {
		kind, settings, _ := strings.Cut(text, " ")
		got := connectortest.Faults(t, kind, settings, connectortest.Deps(t))
		if d := cmp.Diff(want, got); d != "" || strings.Contains(got, "canary") {
			t.Errorf("%s\n%s", text, d)
		}
	}
}

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
	base := connectortest.MustServe(t, rec.ServeHTTP)
	settings := sample{settings: settingsText(t, s.Settings)}.at(base)
	output, err := json.Marshal(s.Output.Any())
	if err != nil {
		t.Fatal(err)
	}
	c := connectortest.MustConnector(t, r.Name, settings, connectortest.Deps(t))
	var receipt event.Receipt
	if s.Test {
		receipt, err = tryConnection(t, c, want)
	} else {
		receipt, err = c.Deliver(t.Context(), connectortest.Delivery(string(output)))
	}
	where := fmt.Sprintf("%d %s", want.Status, rec.bodies[len(rec.bodies)-1])
	if got := connectortest.Outcome(err); got != want.Is.Value || receipt.Status != want.Status {
		t.Errorf("%s: got %s (%v) with status %d, want %s", where, got, err, receipt.Status, want.Is.Value)
	}
	if want.Outputs != nil {
		checkOutputs(t, r, s, want, settings, string(output))
	}
	if want.Message != "" && (err == nil || !strings.Contains(err.Error(), want.Message)) {
		t.Errorf("%s: got %v, want %q in it", where, err, want.Message)
	}
	if want.After != "" {
		if after, _ := time.ParseDuration(want.After); connectortest.WaitOf(err) != after {
			t.Errorf("%s: got %s, want %s to wait", where, connectortest.WaitOf(err), after)
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
	if info := tester.TestInfo(); info.Message || info.What == "" {
		t.Errorf("got %+v", info)
	}
	tried, err := tester.Test(t.Context(), 4711)
	if !strings.Contains(tried.Said, want.Says) || want.Says == "" && tried.Said != "" || strings.Contains(tried.Said, "canary") {
		t.Errorf("it says %q, want %q", tried.Said, want.Says)
	}
	return tried.Receipt, err
}

// checkOutputs checks what is read from the last answer.
func checkOutputs(t *testing.T, r *recipe.Recipe, s *recipe.Sample, want recipe.Expected, settings, output string) {
	t.Helper()
	values, list := r.Values(connectortest.MustParse(t, settings), connectors.CommonKeys()...)
	if len(list) > 0 {
		t.Fatal(list)
	}
	call, err := r.Call(values, connectortest.Delivery(output))
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
		call.Judge(connectors.Answer{Status: status, Body: []byte(answerText(t, body))})
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
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
		var lead struct{ LastName string }
		if err := json.NewDecoder(r.Body).Decode(&lead); err != nil || r.URL.Path != "/services/data/v62.0/sobjects/"+lead.LastName || r.Header.Get("Authorization") != "Bearer "+accessToken {
			t.Errorf("got %s with %+v, %v", r.URL.Path, lead, err)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1","success":true}`)
	})
	c := connectortest.MustConnector(t, "salesforce", "login_url: "+tokenURL(base)+"\noauth: { client_id: me, client_secret: canary-sf-0202 }", connectortest.Deps(t))
	var sending sync.WaitGroup
	for worker := range 4 {
		sending.Go(func() {
			for n := range 25 {
				name := fmt.Sprintf("Lead_%d_%d", worker, n)
				if _, err := c.Deliver(t.Context(), connectortest.Delivery(fmt.Sprintf(`{"create":%[1]q,"fields":{"LastName":%[1]q}}`, name))); err != nil {
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
