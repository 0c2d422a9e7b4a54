package recipe

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// CodeSample is the code of what Rehearse reports.
const CodeSample = "sample-failed"

// Rehearse makes the requests of the samples to a receiver on this machine's loopback,
// gives it the vendor's answers, and reports what is not as the samples say. The error
// is that there can be no receiver, or that ctx has ended: then nothing is known.
func (r *Recipe) Rehearse(ctx context.Context) (diag.List, error) {
	if len(r.Samples) == 0 {
		return nil, nil
	}
	stage, err := newStage(ctx)
	if err != nil {
		return nil, err
	}
	defer stage.close()
	var list diag.List
	for i := range r.Samples {
		s := &r.Samples[i]
		if len(s.Requests) == 0 || len(s.Answers) == 0 {
			list = append(list, s.node.Diag(CodeSample, "", `a sample needs a request, and "answers" to the last one`))
			continue
		}
		for n := range s.Answers {
			attempt := rehearsal{recipe: r, sample: s, want: &s.Answers[n], stage: stage}
			failed := attempt.run(ctx)
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("try the samples: %w", err)
			}
			for _, d := range failed { // a request that is wrong is so with each answer
				if !slices.ContainsFunc(list, func(o diag.Diagnostic) bool { return o.Position == d.Position && o.Message == d.Message }) {
					list = append(list, d)
				}
			}
		}
	}
	return list, nil
}

// accessToken is what the stage's token server gives; it is a secret of the connection.
const accessToken = "canary-access-token-0000"

// stage is what stands for the world while samples run: a receiver and, at the paths
// below /token/, a server that gives access tokens.
type stage struct {
	url    string
	egress *egress.Client
	server *http.Server
	key    func() string // an RSA key in PEM

	mu       sync.Mutex
	answer   func(w http.ResponseWriter, n int)
	received []received
}

// received is one request as it came.
type received struct {
	*http.Request

	body string
}

func newStage(ctx context.Context) (*stage, error) {
	var listening net.ListenConfig
	l, err := listening.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the requests of samples: %w", err)
	}
	s := &stage{
		url: "http://" + l.Addr().String(), key: sync.OnceValue(newPrivateKey),
		egress: egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: sampleTimeout}
	go func() { _ = s.server.Serve(l) }() // ends with close
	return s, nil
}

func (s *stage) close() {
	s.egress.Close()
	_ = s.server.Close()
}

func newPrivateKey() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// ServeHTTP implements http.Handler.
func (s *stage) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if receiver, is := strings.CutPrefix(req.URL.Path, "/token/"); is {
		giveToken(w, req, receiver)
		return
	}
	body, _ := io.ReadAll(req.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, received{req, string(body)})
	s.answer(w, len(s.received)-1)
}

// giveToken answers who asks for an access token; the instance that it is for is the
// receiver, whose URL stands encoded in the path.
func giveToken(w http.ResponseWriter, req *http.Request, receiver string) {
	receiver, _, _ = strings.Cut(receiver, "/")
	base, err := base64.RawURLEncoding.DecodeString(receiver)
	if err != nil || req.Method != http.MethodPost || req.ParseForm() != nil || req.PostForm.Get("grant_type") == "" {
		http.Error(w, "not a request for a token", http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"access_token": accessToken, "token_type": "Bearer", "instance_url": string(base)})
}

// settings are a sample's, with the addresses of the stage.
func (s *stage) settings(n yamlnode.Node) (yamlnode.Node, error) {
	text, err := json.Marshal(s.filled(n.Any()))
	if err != nil {
		return yamlnode.Node{}, fmt.Errorf("write the settings: %w", err)
	}
	out, list := yamlnode.Parse("samples", text)
	if err := list.Err(); err != nil {
		return yamlnode.Node{}, fmt.Errorf("read the settings: %w", err)
	}
	return out, nil
}

func (s *stage) filled(value any) any {
	switch x := value.(type) {
	case map[string]any:
		for key, inner := range x {
			x[key] = s.filled(inner)
		}
	case []any:
		for i, inner := range x {
			x[i] = s.filled(inner)
		}
	case string:
		if strings.Contains(x, "PRIVATE_KEY") {
			key := s.key()
			if x != "PRIVATE_KEY" { // within a JSON text
				quoted, _ := json.Marshal(key)
				key = strings.Trim(string(quoted), `"`)
			}
			x = strings.ReplaceAll(x, "PRIVATE_KEY", key)
		}
		x = strings.ReplaceAll(x, "BASE", s.url)
		return strings.ReplaceAll(x, "TOKEN", s.url+"/token/"+base64.RawURLEncoding.EncodeToString([]byte(s.url)))
	}
	return value
}

// sampleTimeout bounds an attempt of a sample.
const sampleTimeout = 10 * time.Second

// rehearsal is one sample with one of its answers.
type rehearsal struct {
	recipe *Recipe
	sample *Sample
	want   *Expected
	stage  *stage

	list diag.List
}

func (a *rehearsal) fail(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	a.list = append(a.list, a.want.Is.Diag(CodeSample, "", "with the answer %s %s", a.answerText(), message))
}

// answerText is the answer as messages call it.
func (a *rehearsal) answerText() string {
	if body := textOf(a.want.Body); body != "" {
		return fmt.Sprintf("%d %s", a.want.Status, connectors.Excerpt(body))
	}
	return fmt.Sprint(a.want.Status)
}

func (a *rehearsal) run(ctx context.Context) diag.List {
	s := a.sample
	settings, err := a.stage.settings(s.Settings)
	if err != nil {
		return diag.List{s.node.Diag(CodeSample, "", "the sample cannot be tried: %s", err)}
	}
	c, list := newConnector(a.recipe, settings, connectors.Deps{Egress: a.stage.egress, Timeout: sampleTimeout})
	if list.Err() != nil {
		return diag.List{s.node.Diag(CodeSample, `BASE stands for the receiver's address`, "its settings cannot be used: %s", list[0].Message)}
	}
	a.stage.play(s, a.want)
	receipt, said, err := a.attempt(ctx, c)
	a.outcome(&receipt, err)
	a.said(said)
	if text := a.shown(settings, &receipt, said, err); text != "" {
		a.fail("a secret of the settings is shown: %s", text)
	}
	got := a.stage.played()
	if len(got) != len(s.Requests) {
		a.fail("there were %d requests, not %d", len(got), len(s.Requests))
		return a.list
	}
	for i := range s.Requests {
		if wrong := s.Requests[i].differs(got[i]); wrong != "" {
			a.list = append(a.list, s.request(i).Diag(CodeSample, "", "%s", wrong))
		}
	}
	return a.list
}

// play has the stage answer the requests of a sample, the last one with want.
func (s *stage) play(sample *Sample, want *Expected) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = nil
	s.answer = func(w http.ResponseWriter, n int) {
		if n < len(sample.Requests)-1 {
			status := sample.Requests[n].Status
			if status == 0 {
				status = http.StatusOK
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, textOf(sample.Requests[n].Answer))
			return
		}
		for name, value := range want.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(want.Status)
		_, _ = io.WriteString(w, textOf(want.Body))
	}
}

func (s *stage) played() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received
}

// attempt delivers the sample's action, or tries the connection and gives what is said
// of it.
func (a *rehearsal) attempt(ctx context.Context, c connectors.Connector) (event.Receipt, string, error) {
	if !a.sample.Test {
		output, err := json.Marshal(a.sample.Output.Any())
		if err != nil {
			return event.Receipt{}, "", fmt.Errorf("write the action: %w", err)
		}
		receipt, err := c.Deliver(ctx, event.Delivery{ID: 4711, Event: 4710, Rule: "sample", Action: 1, Connection: "sample", Output: output})
		return receipt, "", err
	}
	tester, can := c.(connectors.Tester)
	if !can {
		return event.Receipt{}, "", errors.New("the connection cannot be tried")
	}
	tried, err := tester.Test(ctx, 4711)
	return tried.Receipt, tried.Said, err
}

// outcome compares what has become of the answer.
func (a *rehearsal) outcome(receipt *event.Receipt, err error) {
	is := Delivered
	after := time.Duration(0)
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		after = e.After
	}
	switch {
	case connectors.IsPermanent(err):
		is = Permanent
	case err != nil:
		is = Transient
	}
	because := ""
	if err != nil {
		because = ": " + err.Error()
	}
	if string(is) != a.want.Is.Value {
		a.fail("it is %s, not %s%s", is, a.want.Is.Value, because)
	} else if receipt.Status != a.want.Status {
		a.fail("the status is %d", receipt.Status)
	}
	if a.want.Message != "" && !strings.Contains(because, a.want.Message) {
		a.fail("the message has no %q%s", a.want.Message, because)
	}
	if a.want.After != "" {
		if wait, bad := yamlnode.ParseDuration(a.want.After); bad != nil || wait != after {
			a.fail("it asks to wait %s, not %s", after, a.want.After)
		}
	}
	for name, value := range a.want.Outputs {
		if got := receipt.Outputs[name].String(); got != value {
			a.fail("the output %s is %q, not %q", name, got, value)
		}
	}
}

// said compares what a test says of its answer.
func (a *rehearsal) said(said string) {
	if !strings.Contains(said, a.want.Says) || a.sample.Test && a.want.Says == "" && said != "" {
		a.fail("it says %q, not %q", said, a.want.Says)
	}
}

// shown is a secret of the settings that stands where people see it; "" where none does.
func (a *rehearsal) shown(settings yamlnode.Node, receipt *event.Receipt, said string, err error) string {
	values, _ := a.recipe.Values(settings, connectors.CommonKeys()...)
	text := string(receipt.Answer) + "\n" + said
	if err != nil {
		text += "\n" + err.Error()
	}
	for _, secret := range append(values.Secrets, accessToken) {
		if secret != "" && strings.Contains(text, secret) {
			return secret
		}
	}
	return ""
}

// textOf is the body of an answer: a text as it stands, else as JSON.
func textOf(n yamlnode.Node) string {
	switch n.Kind() {
	case yamlnode.Scalar, yamlnode.Null:
		return n.Text().Value
	case yamlnode.Map, yamlnode.List:
	}
	text, err := json.Marshal(n.Any())
	if err != nil {
		return ""
	}
	return string(text)
}
