package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest/source"
)

// A token proves a body only where its secret, its algorithm, its issuer and
// its hash are right.
func TestNetlify(t *testing.T) {
	t.Parallel()
	const secret, body = "netlify-secret-0123456789", `{"id":"5"}`
	part := base64.RawURLEncoding.EncodeToString
	token := func(secret, head, claims string) string {
		signed := part([]byte(head)) + "." + part([]byte(claims))
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(signed))
		return signed + "." + part(mac.Sum(nil))
	}
	const head = `{"alg":"HS256","typ":"JWT"}`
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	claims := `{"iss":"netlify","sha256":"` + digest + `"}`
	good := token(secret, head, claims)
	s := MustCompile(t, "type: webhook\nverify: { scheme: netlify, secrets: [another-secret-0123456, "+secret+"] }")
	if !s.Secret("x-webhook-signature") {
		t.Error("the signature would be stored")
	}
	for _, c := range []struct{ name, header, want string }{
		{"good", good, ""},
		{"hash in capitals", token(secret, head, strings.Replace(claims, digest, strings.ToUpper(digest), 1)), ""},
		{"none", "", "missing"},
		{"another secret", token("x", head, claims), "does not match"},
		{"no algorithm", part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + ".", "no JSON Web Token"},
		{"another algorithm", token(secret, `{"alg":"HS512"}`, claims), "no JSON Web Token"},
		{"what it does not understand", token(secret, `{"alg":"HS256","crit":["b64"],"b64":false}`, claims), "no JSON Web Token"},
		{"another issuer", token(secret, head, strings.Replace(claims, "netlify", "gotrue", 1)), "another issuer"},
		{"no hash", token(secret, head, `{"iss":"netlify"}`), "another body"},
		{"claims that are no object", token(secret, head, `"x"`), "no JSON Web Token"},
		{"cut", good[:len(good)-3], "does not match"},
		{"text", "a.b.c", "no JSON Web Token"},
		{"dots", "....", "no JSON Web Token"},
	} {
		err := s.Authenticate(&source.Request{Method: "POST", Header: headers(map[string]string{"X-Webhook-Signature": c.header}), Body: []byte(body), Now: time.Unix(0, 0)})
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, source.ErrBadSignature) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := s.Authenticate(&source.Request{Method: "POST", Header: headers(map[string]string{"X-Webhook-Signature": good}), Body: []byte(body + " ")}); !errors.Is(err, source.ErrBadSignature) {
		t.Errorf("a changed body: %v", err)
	}
}
