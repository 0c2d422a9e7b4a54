package all_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
)

// sample is one way to use a kind; the conformance test needs at least one of
// each kind.
type sample struct {
	settings string   // YAML; BASE stands for the receiver's URL
	secrets  []string // every secret in settings
	output   string   // a rendered action
	success  string   // the body of an answer that is a success
	statuses []int    // that are a success with this body
}

func samples() map[string]map[string]sample {
	return map[string]map[string]sample{
		"webhook": {
			"bearer": {
				settings: `
url: BASE/canary-path-0001/x?key=canary-query-0002
headers: { X-Api-Key: canary-header-0003, X-Other: "Token canary/header+0004" }
auth: { bearer: canary-bearer-0005 }
signing_secret: whsec_Y2FuYXJ5LXNpZ25pbmctMDAwNg==`,
				secrets: []string{"canary-path-0001", "canary-query-0002", "canary-header-0003", "canary/header+0004", "canary-bearer-0005", "Y2FuYXJ5LXNpZ25pbmctMDAwNg=="},
				output:  `{"json":{"id":1}}`, success: "done", statuses: []int{200, 201, 202, 204, 299},
			},
			"basic": {
				settings: `
url: BASE/x
auth: { basic: { user: someone, password: "canary<basic>&0007" } }
signing_secret: canary-signing-0008`,
				secrets: []string{"canary<basic>&0007", "canary-signing-0008", "c29tZW9uZTpjYW5hcnk8YmFzaWM+JjAwMDc="},
				output:  `{"form":{"id":1}}`, success: "", statuses: []int{200, 204},
			},
		},
		"slack": {
			"incoming webhook": {
				settings: `webhook_url: BASE/services/T0CANARY1/B0CANARY2/canaryKey0009`,
				secrets:  []string{"T0CANARY1", "B0CANARY2", "canaryKey0009"},
				output:   `{"text":"hello"}`, success: "ok", statuses: []int{200},
			},
			"bot": {
				settings: "bot_token: xoxb-canary-0010\nchannel: '#leads'\napi_url: BASE/api",
				secrets:  []string{"xoxb-canary-0010"},
				output:   `{"text":"hello","blocks":[{"type":"divider"}]}`, success: `{"ok":true,"channel":"C1","ts":"1.2"}`, statuses: []int{200},
			},
		},
	}
}

// speaksHTTP tells the kinds to which the samples apply; the others keep the
// same promises in tests of their own, over their own protocol.
func speaksHTTP(kind string) bool {
	switch kind {
	case "amqp", "email", "kafka", "log", "nats":
		return false
	}
	return true
}

// forEachSample runs a promise for every sample of every kind.
func forEachSample(t *testing.T, check func(t *testing.T, kind string, s sample)) {
	t.Helper()
	t.Parallel()
	everySample(t, func(name, kind string, s sample) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, kind, s)
		})
	})
}

// forEachSampleAtOnce is forEachSample for promises about time: none waits for
// a processor.
func forEachSampleAtOnce(t *testing.T, check func(t *testing.T, kind string, s sample)) {
	t.Helper()
	t.Parallel()
	var running sync.WaitGroup
	defer running.Wait()
	everySample(t, func(name, kind string, s sample) {
		running.Go(func() { t.Run(name, func(t *testing.T) { check(t, kind, s) }) })
	})
}

// everySample hands out the samples of every kind.
func everySample(t *testing.T, use func(name, kind string, s sample)) {
	t.Helper()
	all := samples()
	maps.Copy(all, recipeSamples(t))
	for _, kind := range connectortest.Kinds() {
		if !speaksHTTP(kind.Name) {
			continue
		}
		if len(all[kind.Name]) == 0 {
			t.Errorf("the kind %q has no samples", kind.Name)
		}
		for name, s := range all[kind.Name] {
			use(kind.Name+"/"+name, kind.Name, s)
		}
	}
}

func (s sample) at(base string) string {
	text := strings.ReplaceAll(s.settings, "BASE", base)
	if strings.Contains(text, "TOKEN") {
		text = strings.ReplaceAll(text, "TOKEN", tokenURL(base))
	}
	return text
}

// deliver makes one attempt to base and checks what holds of every attempt.
func (s sample) deliver(ctx context.Context, t *testing.T, kind, base string, deps connectors.Deps) (event.Receipt, error) {
	t.Helper()
	return s.attempt(ctx, t, connectortest.MustConnector(t, kind, s.at(base), deps), base)
}

// attempt is deliver by a connector that is there.
func (s sample) attempt(ctx context.Context, t *testing.T, c connectors.Connector, base string) (event.Receipt, error) {
	t.Helper()
	receipt, err := c.Deliver(ctx, connectortest.Delivery(s.output))
	if len(receipt.Answer) > connectors.MaxAnswer {
		t.Errorf("%d bytes of the answer were kept", len(receipt.Answer))
	}
	host := strings.TrimPrefix(base, "http://")
	for _, form := range []string{"%v", "%+v", "%#v", "%q"} {
		text := fmt.Sprintf(form, err) + "\n" + string(receipt.Answer) + "\n" + receipt.Request + "\n" + fmt.Sprint(receipt.Headers)
		for _, secret := range s.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the secret %s shows:\n%s", secret, text)
			}
		}
		if err != nil && strings.Contains(fmt.Sprintf(form, err), host) {
			t.Errorf("the error holds the URL: "+form, err)
		}
	}
	return receipt, err
}
