package connectors_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/rules/lang"
)

// A token is asked for once, sent with each request, renewed once when it is
// refused, and shown nowhere.
func TestWebhook_oauth2(t *testing.T) {
	t.Parallel()
	given, refuse := 0, true
	base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("client_secret") != "canary-client-0021" ||
				r.PostForm.Get("scope") != "a b" || r.PostForm.Get("audience") != "https://api.example" {
				t.Errorf("token request: %v, %v", r.PostForm, err)
			}
			given++
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"canary-token-002`+string(rune('0'+given))+`","token_type":"Bearer","expires_in":3600}`)
			return
		}
		if refuse && r.Header.Get("Authorization") == "Bearer canary-token-0021" && given == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "got "+r.Header.Get("Authorization"))
	})
	c := mustConnector(t, "webhook", "url: "+base+"/api\nauth: { oauth2: { token_url: "+base+"/token, client_id: hookgate, client_secret: canary-client-0021, scopes: [a, b], audience: 'https://api.example' } }", testDeps(t))
	for range 3 {
		receipt, err := c.Deliver(t.Context(), delivery(`{"json":1}`))
		if err != nil || string(receipt.Answer) != "got Bearer [redacted]" && string(receipt.Answer) != "got [redacted]" {
			t.Errorf("got %q, %v", receipt.Answer, err)
		}
	}
	if given != 2 {
		t.Errorf("%d tokens were given, want the first and its renewal", given)
	}
	refused := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"not canary-client-0021"}`)
	})
	c = mustConnector(t, "webhook", "url: "+base+"/api\nauth: { oauth2: { token_url: "+refused+"/token, client_id: hookgate, client_secret: canary-client-0021 } }", testDeps(t))
	if _, err := c.Deliver(t.Context(), delivery(`{"json":1}`)); outcome(err) != "permanent" || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestWebhook_cloudevents(t *testing.T) {
	t.Parallel()
	var got map[string]any
	var kind string
	base := mustServe(t, func(_ http.ResponseWriter, r *http.Request) {
		kind = r.Header.Get("Content-Type")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	})
	settings := "url: " + base + "\nformat: cloudevents"
	d := delivery(`{"json":{"a":1},"type":"website_status_changed","source":"/sitejet"}`)
	d.Created = clock
	if _, err := mustConnector(t, "webhook", settings, testDeps(t)).Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"specversion": "1.0", "id": d.ID.String(), "source": "/sitejet", "type": "website_status_changed", "time": "2026-03-10T09:42:07Z",
		"datacontenttype": "application/json", "data": map[string]any{"a": 1.0},
	}
	if diff := cmp.Diff(want, got); diff != "" || kind != "application/cloudevents+json" {
		t.Errorf("%s\n%s", kind, diff)
	}
	if _, err := mustConnector(t, "webhook", settings, testDeps(t)).Deliver(t.Context(), delivery(`{"body":"x","type":"t","source":"s"}`)); outcome(err) != "permanent" {
		t.Errorf("a text: got %v", err)
	}
	action := mustKind(t, "webhook").ActionFor(mustParse(t, settings))
	if got := checkAction(t, action, "body: x"); !strings.Contains(got, "needs json") {
		t.Errorf("got %s", got)
	}
	for _, in := range action.Inputs {
		if in.Default == "" {
			continue
		}
		if _, list := lang.NewCompiler().Default(in); len(list) > 0 {
			t.Errorf("%s: %v", in.Name, list)
		}
	}
}

func TestWebhook_successExpression(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status        int
		body, outcome string
		want          string
	}{
		{200, `{"ok":true}`, "delivered", ""},
		{409, `{"ok":true}`, "delivered", ""},
		{200, `{"ok":false,"why":"no such plan"}`, "permanent", `the answer does not meet success: 200 OK: {"ok":false,"why":"no such plan"}`},
		{503, `{"ok":false}`, "transient", `503 Service Unavailable: {"ok":false}`},
		{400, `{"ok":false}`, "permanent", `400 Bad Request: {"ok":false}`},
		{200, `down`, "permanent", `success could not be judged: `},
	} {
		base := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		})
		_, err := mustConnector(t, "webhook", "url: "+base+"\nsuccess: body.ok == true and status < 500", testDeps(t)).Deliver(t.Context(), delivery(`{"json":1}`))
		if outcome(err) != tc.outcome || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%d %s: got %s, %v", tc.status, tc.body, outcome(err), err)
		}
	}
	got := faults(t, "webhook", "url: https://h.example\nsuccess: bdy.ok == true and status == 200", testDeps(t))
	if !strings.Contains(got, `error[expr-name] config.yaml:2:10: unknown name "bdy"`) {
		t.Errorf("got %s", got)
	}
}

// What outputs name is read from the answer of a delivery that got through: as
// recipes have it, with what is not there left out and no secret in it. A read
// of a failed answer, or one that keeps a missing value, breaks it.
func TestWebhook_outputs(t *testing.T) {
	t.Parallel()
	const outputs = "\noutputs: { id: body.id, url: 'headers[\"location\"]', nothing: body.no.such, key: text, list: body.tags }"
	long := `{"id":"` + strings.Repeat("x", 80<<10) + `"}` // longer than what is kept of an answer
	for _, tc := range []struct {
		status        int
		body, success string
		outcome       string
		want          map[string]string
	}{
		{201, `{"id":12345678901234567890,"tags":["a"]}`, "2xx", "delivered", map[string]string{"id": "12345678901234567890", "url": "/v1/7", "key": `{"id":12345678901234567890,"tags":["a"]}`, "list": `["a"]`}},
		{200, `ok canary-webhook-key-07`, "2xx", "delivered", map[string]string{"url": "/v1/7", "key": "ok [redacted]"}},
		{204, ``, "2xx", "delivered", map[string]string{"url": "/v1/7"}},
		{400, `{"id":7}`, "2xx", "permanent", nil},
		{200, `{"id":7}`, "body.id == 8", "permanent", nil},
		{200, `{"id":8}`, `body.id == 8 and headers["location"] startsWith "/v1" and text != ""`, "delivered", map[string]string{"id": "8", "url": "/v1/7", "key": `{"id":8}`}},
		{200, long, "len(body.id) > 1000", "delivered", map[string]string{"id": strings.Repeat("x", 1000) + "…", "url": "/v1/7", "key": long[:1000] + "…"}},
	} {
		base := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/v1/7")
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		})
		settings := "url: " + base + "\nheaders: { X-Key: canary-webhook-key-07 }\nsuccess: '" + tc.success + "'" + outputs
		receipt, err := mustConnector(t, "webhook", settings, testDeps(t)).Deliver(t.Context(), delivery(`{"json":1}`))
		if diff := cmp.Diff(tc.want, receipt.Outputs); diff != "" || outcome(err) != tc.outcome {
			t.Errorf("%d %.50s: %s, %v\n%s", tc.status, tc.body, outcome(err), err, diff)
		}
	}
}

// An answer of which a part is missing cannot be judged by its body: another
// try is due. To take the fragment for the receiver's word would end it.
func TestWebhook_answerThatBreaksOff(t *testing.T) {
	t.Parallel()
	base := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"ok":tr`)
	})
	for success, want := range map[string]string{"body.ok == true": "transient", "status == 200": "delivered", "2xx": "delivered"} {
		_, err := mustConnector(t, "webhook", "url: "+base+"\nsuccess: "+success+"\noutputs: { id: body.id }", testDeps(t)).Deliver(t.Context(), delivery(`{"json":1}`))
		if outcome(err) != want {
			t.Errorf("%s: got %s, %v", success, outcome(err), err)
		}
	}
}

func TestWebhook_outputFaults(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"outputs: [id]":                     `error[wrong-type] config.yaml:2:1: "outputs" must be a mapping of names to expressions (such as { id: body.id })`,
		"outputs: { id: bdy.id }":           `error[expr-name] config.yaml:2:16: unknown name "bdy" (did you mean "body"?)`,
		"outputs: { id: [body.id] }":        `error[wrong-type] config.yaml:2:12: "id" must be an expression (such as body.id)`,
		"outputs: { ID: body.id }":          `error[bad-name] config.yaml:2:12: "ID" cannot be a name here (use small letters, digits and _)`,
		"outputs: { id: '${{ body.id }}' }": `error[template-in-when] config.yaml:2:17: "id" is already an expression (drop the ${{ }})`,
		"success: [2xx, body.ok]":           `error[bad-value] config.yaml:2:16: "success": "body.ok" is no status: write 204, 200-299 or 2xx (an expression stands alone, without other values beside it)`,
		"success: fine":                     `error[bad-value] config.yaml:2:10: "success": "fine" is no status: write 204, 200-299 or 2xx (or an expression over the answer: body.ok == true)`,
	} {
		if got := faults(t, "webhook", "url: https://h.example\n"+written, testDeps(t)); got != want {
			t.Errorf("%s\n got %s\nwant %s", written, got, want)
		}
	}
}

// The receiver wants a certificate, and its own is signed by an authority that
// only the setting names.
func TestWebhook_clientCertificate(t *testing.T) {
	t.Parallel()
	own := httptest.NewTLSServer(nil)
	pair := own.TLS.Certificates[0]
	own.Close()
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, keyPath := write("cert.pem", "CERTIFICATE", pair.Certificate[0]), write("key.pem", "PRIVATE KEY", key)
	base := mutual(t, pair)
	files := "tls: { cert: " + cert + ", key: " + keyPath + ", ca: " + cert + " }"
	receipt, err := mustConnector(t, "webhook", "url: "+base+"\n"+files, testDeps(t)).Deliver(t.Context(), delivery(`{"json":1}`))
	if err != nil || !strings.Contains(string(receipt.Answer), "Acme Co") {
		t.Errorf("got %q, %v", receipt.Answer, err)
	}
	if _, err := mustConnector(t, "webhook", "url: "+base+"\ntls: { ca: "+cert+" }", testDeps(t)).Deliver(t.Context(), delivery(`{"json":1}`)); outcome(err) != "transient" {
		t.Errorf("without a certificate: got %v", err)
	}
	for settings, want := range map[string]string{
		"tls: { cert: " + cert + " }":                      `error[missing-key] config.yaml:2:1: tls needs both "cert" and "key", or neither`,
		"tls: { cert: missing.pem, key: " + keyPath + " }": `error[bad-file] config.yaml:2:14: the certificate and its key cannot be used: there is no such file`,
		"tls: { ca: " + keyPath + " }":                     `error[bad-file] config.yaml:2:12: the file holds no certificate in PEM form (it starts with -----BEGIN CERTIFICATE-----)`,
	} {
		if diff := cmp.Diff(want, faults(t, "webhook", "url: https://h.example\n"+settings, testDeps(t))); diff != "" {
			t.Error(diff)
		}
	}
}

// mutual is a receiver with the certificate of pair that wants one of its own.
func mutual(t *testing.T, pair tls.Certificate) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.String())
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
