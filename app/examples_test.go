package app_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/connectors/all"
)

// The example that `connectors show` prints of each kind is a part of a
// configuration that hookgate accepts.
func TestExamples_compile(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	account, err := json.Marshal(map[string]string{"client_email": "a@b.example", "private_key": pemKey, "private_key_id": "k", "token_uri": "https://oauth2.googleapis.com/token"})
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`)
	kinds := append(all.Kinds(), documentedKind(t))
	for _, k := range kinds {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			if !strings.HasPrefix(k.Example, "connections:\n") {
				t.Fatalf("the example is %q", k.Example)
			}
			text := "version: 1\nsources: { contact: { type: webhook, token: 0123456789abcdef0123 } }\n" + k.Example
			path := mustWrite(t, text)
			if k.Name == "mytool" {
				text = strings.Replace(text, "version: 1\n", "version: 1\nrecipes: [./mytool.yaml]\n", 1)
				path = mustWrite(t, text)
				if err := os.WriteFile(filepath.Join(filepath.Dir(path), "mytool.yaml"), []byte(documentedRecipe(t)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range variable.FindAllStringSubmatch(k.Example, -1) {
				value := "value-of-it-us21"
				switch {
				case strings.Contains(m[1], "URL") || strings.Contains(m[1], "WEBHOOK"):
					value = "https://receiver.example/hook/0123456789"
				case strings.Contains(m[1], "SERVICE_ACCOUNT"):
					value = string(account)
				case strings.Contains(m[1], "PRIVATE_KEY"):
					value = pemKey
				}
				file := filepath.Join(filepath.Dir(path), m[1])
				if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_ = os.WriteFile(filepath.Join(filepath.Dir(path), ".env"), []byte(envOf(k.Example, variable)), 0o600)
			if _, report, err := app.Load(path); err != nil {
				t.Errorf("%s\n%v", k.Example, report.List)
			}
		})
	}
}

// envOf is a .env file by which each variable is read from the file of its name.
func envOf(text string, variable *regexp.Regexp) string {
	var b strings.Builder
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		b.WriteString(m[1] + "_FILE=" + m[1] + "\n")
	}
	return b.String()
}
