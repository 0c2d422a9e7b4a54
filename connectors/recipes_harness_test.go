package connectors_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"hookgate/connectors"
	"hookgate/connectors/recipe"
	"hookgate/internal/yamlnode"
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
	recipes, list := connectors.BuiltinRecipes()
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
