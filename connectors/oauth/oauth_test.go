package oauth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hookgate/connectors/oauth"
)

// clock is a time that tests set forward.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(1_773_135_727)
	return c
}

func (c *clock) now() time.Time { return time.Unix(c.at.Load(), 0) }

func (c *clock) forward(d time.Duration) { c.at.Add(int64(d / time.Second)) }

// mustServe is a token endpoint; it gives the address and how often it was asked.
func mustServe(t *testing.T, answer http.HandlerFunc) (string, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/token", &asked
}

func mustTransport(t *testing.T) http.RoundTripper {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func numbered(lifetime string) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"access_token":"t%d","instance_url":"https://i"%s}`, n.Add(1), lifetime)
	}
}

func mustToken(t *testing.T, s *oauth.Source, want string) oauth.Token {
	t.Helper()
	token, err := s.Token(t.Context())
	if err != nil || token.Value != want {
		t.Fatalf("got %q, %v, want %q", token.Value, err, want)
	}
	return token
}

func TestSource_clientCredentials(t *testing.T) {
	t.Parallel()
	for _, inHeader := range []bool{false, true} {
		endpoint, _ := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
			id, secret, basic := r.BasicAuth()
			if !basic {
				id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
			}
			if basic != inHeader || id != "me" || secret != "s3cret" || r.PostFormValue("grant_type") != "client_credentials" ||
				r.PostFormValue("scope") != "a b" || r.PostFormValue("audience") != "api" || r.Method != http.MethodPost {
				t.Errorf("got %s %v by header: %t", r.Method, r.PostForm, basic)
			}
			_, _ = io.WriteString(w, `{"access_token":"t1","token_type":"Bearer","instance_url":"https://i"}`)
		})
		s := oauth.New(oauth.Config{
			TokenURL: endpoint, ClientID: "me", ClientSecret: "s3cret", InHeader: inHeader, Scopes: []string{"a", "b"},
			Params: url.Values{"audience": {"api"}},
		}, mustTransport(t), newClock().now)
		if token := mustToken(t, s, "t1"); token.Extra["instance_url"] != "https://i" {
			t.Errorf("got %v", token.Extra)
		}
	}
}

// PHP sites begin their answers with a byte order mark: also of a token, and
// of a refusal.
func TestSource_byteOrderMark(t *testing.T) {
	t.Parallel()
	refuse := atomic.Bool{}
	endpoint, _ := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		if refuse.Load() {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "\ufeff"+`{"error":"invalid_client"}`)
			return
		}
		_, _ = io.WriteString(w, "\ufeff"+`{"access_token":"t1","expires_in":60}`)
	})
	config := oauth.Config{TokenURL: endpoint, ClientID: "id", ClientSecret: "secret"}
	mustToken(t, oauth.New(config, mustTransport(t), newClock().now), "t1")
	refuse.Store(true)
	_, err := oauth.New(config, mustTransport(t), newClock().now).Token(t.Context())
	if err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("got %v", err)
	}
}

func TestSource_assertion(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	at := newClock()
	endpoint, _ := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		claims := jwt.MapClaims{}
		token, err := jwt.ParseWithClaims(r.PostFormValue("assertion"), claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
			jwt.WithTimeFunc(at.now), jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("https://login.example"), jwt.WithIssuer("me"), jwt.WithSubject("user@example.com"))
		if err != nil || claims["scope"] != "a b" || claims["exp"] != float64(at.now().Add(3*time.Minute).Unix()) || token.Header["kid"] != "k1" {
			t.Errorf("got %v, %v", claims, err)
		}
		if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || r.Form.Has("client_id") || r.Form.Has("client_secret") || r.Header.Get("Authorization") != "" {
			t.Errorf("got %v", r.PostForm)
		}
		_, _ = io.WriteString(w, `{"access_token":"t1"}`)
	})
	s := oauth.New(oauth.Config{TokenURL: endpoint, Scopes: []string{"a", "b"}, Assertion: &oauth.Assertion{
		Issuer: "me", Subject: "user@example.com", Audience: "https://login.example", KeyID: "k1", Key: key,
	}}, mustTransport(t), at.now)
	mustToken(t, s, "t1")
}

func TestSource_keepsAndRenews(t *testing.T) {
	t.Parallel()
	at := newClock()
	endpoint, asked := mustServe(t, numbered(`,"expires_in":3600`))
	s := oauth.New(oauth.Config{TokenURL: endpoint, ClientID: "me", ClientSecret: "s3cret"}, mustTransport(t), at.now)
	first := mustToken(t, s, "t1")
	at.forward(3569 * time.Second)
	mustToken(t, s, "t1")
	at.forward(time.Second)
	second := mustToken(t, s, "t2")
	s.Drop(first) // another delivery was told before, and renewed it
	mustToken(t, s, "t2")
	s.Drop(second)
	mustToken(t, s, "t3")
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
	for answer, want := range map[string]time.Duration{`,"expires_in":"120"`: 90 * time.Second, `,"expires_in":20`: 10 * time.Second} {
		endpoint, _ := mustServe(t, numbered(answer))
		s := oauth.New(oauth.Config{TokenURL: endpoint}, mustTransport(t), at.now)
		mustToken(t, s, "t1")
		at.forward(want - time.Second)
		mustToken(t, s, "t1")
		at.forward(time.Second)
		mustToken(t, s, "t2")
	}
	endless, _ := mustServe(t, numbered(""))
	s = oauth.New(oauth.Config{TokenURL: endless}, mustTransport(t), at.now)
	mustToken(t, s, "t1")
	at.forward(1000 * time.Hour)
	mustToken(t, s, "t1")
}

// However many need a token at the same time, one request is made, and its
// failure is the answer to all of them. Broken by taking the turn away.
func TestSource_oneRequest(t *testing.T) {
	t.Parallel()
	const many = 20
	for name, status := range map[string]int{"token": 200, "refusal": 401} {
		var arrived sync.WaitGroup
		arrived.Add(many)
		endpoint, asked := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			arrived.Wait() // all are on their way
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"access_token":"t1"}`)
		})
		s := oauth.New(oauth.Config{TokenURL: endpoint}, mustTransport(t), newClock().now)
		var all sync.WaitGroup
		var refused atomic.Int64
		for range many {
			all.Go(func() {
				arrived.Done()
				if _, err := s.Token(t.Context()); err != nil {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		// One that read the state only after the answer had come asks anew where
		// there is no token: at least the others shared it.
		if n := asked.Load(); n != 1 && (status == 200 || n > many/2) {
			t.Errorf("%s: asked %d times", name, n)
		}
		if got := refused.Load(); (got == 0) != (status == 200) {
			t.Errorf("%s: %d were refused", name, got)
		}
	}
}

// The end of one caller is no word to the others. Broken by sharing every error.
func TestSource_cancelled(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 2)
	var first atomic.Bool
	endpoint, _ := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		if first.CompareAndSwap(false, true) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"t1"}`)
	})
	s := oauth.New(oauth.Config{TokenURL: endpoint}, mustTransport(t), newClock().now)
	ctx, cancel := context.WithCancel(t.Context())
	var leader, waiting sync.WaitGroup
	leader.Go(func() {
		if _, err := s.Token(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	<-reached
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := s.Token(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("one that waited and ended: got %v", err)
	}
	waiting.Go(func() { mustToken(t, s, "t1") })
	cancel()
	leader.Wait()
	waiting.Wait()
}

func TestSource_errors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status       int
		answer, want string
		permanent    bool
	}{
		{400, `{"error":"invalid_grant","error_description":"user hasn't approved"}`, "the token was refused: 400 Bad Request: invalid_grant user hasn't approved", true},
		{401, `{"error":"invalid_client"}`, "the token was refused: 401 Unauthorized: invalid_client", true},
		{200, `{"error":"bad_verification_code"}`, "the token was refused: 200 OK: bad_verification_code", true},
		{400, `{"error":"temporarily_unavailable"}`, "the token was refused: 400 Bad Request: temporarily_unavailable", false},
		{302, ``, "the token was refused: 302 Found", true},
		{429, ``, "the token was refused: 429 Too Many Requests", false},
		{503, `<html>`, "the token was refused: 503 Service Unavailable", false},
		{200, `<html>`, "the answer to the request for a token holds none", false},
		{200, `{}`, "the answer to the request for a token holds none", false},
	} {
		endpoint, _ := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.answer)
		})
		s := oauth.New(oauth.Config{TokenURL: endpoint, ClientID: "me", ClientSecret: "s3cret"}, mustTransport(t), newClock().now)
		_, err := s.Token(t.Context())
		refused, ok := errors.AsType[*oauth.Error](err)
		if !ok || err.Error() != tc.want || refused.Permanent() != tc.permanent || refused.Status != tc.status {
			t.Errorf("%d %s: got %v, permanent %t", tc.status, tc.answer, err, ok && refused.Permanent())
		}
	}
	endpoint, _ := mustServe(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := oauth.New(oauth.Config{TokenURL: endpoint + "/canary"}, mustTransport(t), newClock().now)
	if _, err := s.Token(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a broken connection: got %v", err)
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	old := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for name, text := range map[string]string{
		"PKCS #1": old, "one line": strings.ReplaceAll(old, "\n", `\n`),
		"PKCS #8": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
	} {
		if got, err := oauth.ParseKey(text); err != nil || !got.Equal(key) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, text := range []string{"", "canary", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nY2FuYXJ5\n-----END ENCRYPTED PRIVATE KEY-----"} {
		if _, err := oauth.ParseKey(text); !errors.Is(err, oauth.ErrKey) || strings.Contains(err.Error(), "anary") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
