package connectors_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
)

// A broken built-in recipe is no kind at all: none may be broken.
func TestRecipes_compile(t *testing.T) {
	t.Parallel()
	recipes, list := connectors.BuiltinRecipes()
	for _, d := range list {
		t.Error(d)
	}
	if len(recipes) == 0 {
		t.Error("there are none")
	}
	catalog := connectors.NewCatalog()
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
		base := mustServe(t, func(http.ResponseWriter, *http.Request) { t.Errorf("%s was called", r.Name) })
		_, can := mustConnector(t, r.Name, sample{settings: settingsText(t, s.Settings)}.at(base), testDeps(t)).(connectors.Tester)
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
		got := faults(t, kind, settings, testDeps(t))
		if d := cmp.Diff(want, got); d != "" || strings.Contains(got, "canary") {
			t.Errorf("%s\n%s", text, d)
		}
	}
}
