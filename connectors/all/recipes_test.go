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
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/connectors/recipe"
	"hookgate/connectors/recipes"
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

// The requests of every sample are those written in the recipe, and each of
// the vendor's answers means what is written there.
func TestRecipes_samples(t *testing.T) {
	t.Parallel()
	for _, r := range mustRecipes(t) {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			if len(r.Samples) == 0 {
				t.Fatal("it has none")
			}
			list, err := r.Rehearse(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range list {
				t.Error(d)
			}
		})
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
