package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hookgate/connectors/all"
)

// malformed are secrets that some parser or driver does not take; c4n…aryword is
// the part that must not be shown.
var malformed = map[string]string{
	"scheme":       "c4naryword",
	"port":         "https://user:c4naryword@receiver.example:99999x/",
	"percent":      "https://receiver.example/c4n%ZZaryword",
	"host":         "https://c4n aryword.example/x",
	"control":      "https://receiver.example/c4n\x01aryword",
	"line break":   "c4n\naryword",
	"at":           "https://u:c4n@ryword/aryword@receiver.example/",
	"other scheme": "ftp://u:c4naryword@receiver.example/",
	"key file":     "-----BEGIN PRIVATE KEY-----\nc4naryword\n-----END PRIVATE KEY-----\n",
	"cut key":      "-----BEGIN RSA PRIVATE KEY-----\nc4naryword",
	"JSON":         `{"client_email": "c4naryword", "private_key": "-----BEGIN`,
	"no account":   `{"client_email": 7, "private_key": "c4naryword"}`,
	"DSN":          "amqp://u:c4n/aryword@127.0.0.1:1x/",
	"base64":       "whsec_c4naryword!!",
	"letters":      "c4näryword aryword",
	"invalid":      "c4n\xffaryword",
}

// No malformed secret, and no part of one, is in what check says of it, in
// people's words or as JSON, wherever it stands: each secret of each kind of
// connection, the sources', the forms' and the server's. Fails where a message
// holds what url.Parse said.
func TestCheck_malformedSecrets(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`)
	parts := map[string]string{
		"sources": "sources:\n  a: { type: webhook, token: \"${A}\" }\n  b: { type: webhook, verify: { scheme: standard-webhooks, secret: \"${A}\" } }\n  c: { type: webhook, verify: { scheme: basic, user: \"${A}\", password: \"${A}\" } }\n" +
			"  d: { type: webhook, verify: { scheme: hmac, header: X-S, secret: [\"${A}\", \"${A}\"] } }\n  e: { type: webhook, verify: { scheme: bearer, secret: \"${A}\" } }\n",
		"server":  "server: { listen: 127.0.0.1:0, admin: { user: \"${A}\", password: \"${A}\" } }\n",
		"users":   "server: { listen: 127.0.0.1:0, admin: { users: [{ name: ada, password_hash: \"${A}\" }] } }\n",
		"storage": "storage: { url: \"${A}\" }\n",
		"form":    "forms: { f: { fields: { name: {} }, captcha: { type: turnstile, sitekey: x, secret: \"${A}\" } } }\n",
		"webhook": "connections: { w: { type: webhook, url: \"${A}\", signing_secret: \"${A}\", headers: { X-Key: \"${A}\" }, auth: { basic: { user: \"${A}\", password: \"${A}\" } } } }\n",
		"oauth":   "connections: { w: { type: webhook, url: https://x.example, auth: { oauth2: { token_url: \"${A}\", client_id: x, client_secret: \"${A}\" } } } }\n",
		"client":  "connections: { w: { type: webhook, url: https://x.example, tls: { cert: \"${A}\", key: \"${A}\" } } }\n",
	}
	for _, k := range all.Kinds() {
		connection, _, _ := strings.Cut(k.Example, "rules:\n")
		settings := ""
		for _, s := range k.Settings {
			if s.Secret && !strings.Contains(connection, "    "+s.Name+":") {
				settings += "    " + s.Name + ": ${A}\n"
			}
		}
		parts[k.Name] = variable.ReplaceAllString(connection, "$${A}") + settings
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, secret := range malformed {
				path := filepath.Join(t.TempDir(), "config.yaml")
				head := "version: 1\n"
				if name != "sources" {
					head += "sources: { s: { type: webhook, token: 0123456789abcdef0123 } }\n"
				}
				for file, text := range map[string]string{"config.yaml": head + part, ".env": "A_FILE=a\n", "a": secret} {
					if err := os.WriteFile(filepath.Join(filepath.Dir(path), file), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				for _, args := range [][]string{{"check"}, {"check", "--json"}, {"connections", "test", "--all"}} {
					got := run(t, append(args, "-c", path)...)
					if said := got.out + got.errOut; strings.Contains(said, "c4n") || strings.Contains(said, "aryword") {
						t.Errorf("%v, %s: exit %d\n%s", args, what, got.code, said)
					}
				}
			}
		})
	}
}
