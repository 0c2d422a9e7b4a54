package broker_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/test/connectortest"
)

// brokers are settings that reach ADDRESS, with a secret in them.
func brokers() map[string]string {
	return map[string]string{
		"nats":  "url: nats://ADDRESS\nsubject: site.events\nuser: someone\npassword: canary-broker-0001",
		"kafka": "brokers: ADDRESS\ntopic: site-events\ntls: false\nuser: someone\npassword: canary-broker-0001\nsasl: plain",
		"amqp":  "url: amqp://someone:canary-broker-0001@ADDRESS/\nrouting_key: site-events",
	}
}

const brokerSecret = "canary-broker-0001"

func brokerAt(t testing.TB, kind, settings, address string, deps connectors.Deps) connectors.Connector {
	t.Helper()
	c := connectortest.MustConnector(t, kind, strings.ReplaceAll(settings, "ADDRESS", address), deps)
	t.Cleanup(func() { _ = c.(io.Closer).Close() })
	return c
}

// forEachBroker runs a promise for every broker.
func forEachBroker(t *testing.T, check func(t *testing.T, kind, settings string)) {
	t.Helper()
	for kind, settings := range brokers() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			check(t, kind, settings)
		})
	}
}

// What can never be sent is said at once, without a connection.
func TestBroker_output(t *testing.T) {
	t.Parallel()
	forEachBroker(t, func(t *testing.T, kind, settings string) {
		address := connectortest.MustGreet(t, func(net.Conn) { t.Error("a connection was made") })
		c := brokerAt(t, kind, settings, address, connectortest.Deps(t))
		for _, output := range []string{"", "null and void", "[]", `"x"`, `{}`, `{"json":`, `{"body":[]}`, `{"body":"x","headers":{"a":{}}}`, `{"body":"x","headers":{"a":"b\nc"}}`, `{"body":"x","headers":[]}`} {
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); connectortest.Outcome(err) != "permanent" {
				t.Errorf("%s: got %v", output, err)
			}
		}
	})
}

// Nobody listens, somebody else does, or nobody answers: another try is worth
// it, the words are ours, and the secret and the address are in none of them.
func TestBroker_network(t *testing.T) {
	t.Parallel()
	forEachBroker(t, func(t *testing.T, kind, settings string) {
		connectortest.AtOnce(t, map[string]string{
			"refused": strings.TrimPrefix(connectortest.RefusingURL, "http://"),
			"closed":  connectortest.MustGreet(t, func(net.Conn) {}),
			"reset":   connectortest.MustGreet(t, connectortest.Reset),
			"silent":  connectortest.MustGreet(t, connectortest.Hang),
			"babble": connectortest.MustGreet(t, func(conn net.Conn) {
				_, _ = io.WriteString(conn, "220 "+brokerSecret+" welcome\r\n")
				connectortest.Hang(conn)
			}),
			"flood": connectortest.MustGreet(t, func(conn net.Conn) { connectortest.Dribble(conn, strings.Repeat(brokerSecret, 1000)) }),
		}, func(t *testing.T, name, address string) {
			deps := connectortest.Deps(t)
			deps.Timeout = time.Second
			begun := time.Now()
			_, err := brokerAt(t, kind, settings, address, deps).Deliver(t.Context(), connectortest.Delivery(`{"json":{"n":1}}`))
			if connectortest.Outcome(err) != "transient" || time.Since(begun) > 15*time.Second {
				t.Errorf("%s: got %s after %s: %v", name, connectortest.Outcome(err), time.Since(begun), err)
			}
			for _, form := range []string{"%v", "%+v", "%#v", "%q"} {
				if text := fmt.Sprintf(form, err); strings.Contains(text, brokerSecret) || strings.Contains(text, address) {
					t.Errorf("%s: the error tells too much: %s", name, text)
				}
			}
			if name == "refused" && err.Error() != "connection refused" {
				t.Errorf("refused: got %v", err)
			}
		})
	})
}

// Private addresses are refused for good.
func TestBroker_guard(t *testing.T) {
	t.Parallel()
	forEachBroker(t, func(t *testing.T, kind, settings string) {
		address := connectortest.MustGreet(t, func(net.Conn) { t.Error("a connection was made") })
		deps := connectortest.Deps(t)
		deps.Egress = egress.New(egress.Config{})
		c, list := connectortest.MustKind(t, kind).New(connectortest.MustParse(t, strings.ReplaceAll(settings, "ADDRESS", address)), deps)
		if list.Err() != nil || !strings.Contains(fmt.Sprint(list), "private-address") {
			t.Fatal(list)
		}
		_, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`))
		if connectortest.Outcome(err) != "permanent" || !errors.Is(err, egress.ErrRefused) || !strings.Contains(err.Error(), "outbound.allow_private") {
			t.Errorf("got %v", err)
		}
	})
}

// A cancelled attempt ends at once.
func TestBroker_cancel(t *testing.T) {
	t.Parallel()
	forEachBroker(t, func(t *testing.T, kind, settings string) {
		ctx, cancel := context.WithCancel(t.Context())
		address := connectortest.MustGreet(t, func(conn net.Conn) { cancel(); connectortest.Hang(conn) })
		begun := time.Now()
		_, err := brokerAt(t, kind, settings, address, connectortest.Deps(t)).Deliver(ctx, connectortest.Delivery(`{"json":{}}`))
		if !errors.Is(err, context.Canceled) || time.Since(begun) > 10*time.Second {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

// Settings that cannot work are refused where they stand, and no message holds a secret.
func TestBroker_settings(t *testing.T) {
	t.Parallel()
	for kind, settings := range brokers() {
		settings = strings.ReplaceAll(settings, "ADDRESS", "broker.example:1234")
		common := "\ntype: x\ntimeout: 15s\nconcurrency: 8\nrate_limit: 5/s\nretry: { for: 48h }\n"
		if got := connectortest.Faults(t, kind, settings+common, connectortest.Deps(t)); strings.Contains(got, "error[") || !strings.Contains(got, "warn[no-encryption]") {
			t.Errorf("%s: got %s", kind, got)
		}
	}
	for _, c := range []struct{ kind, settings, want string }{
		{"nats", "url: https://x.example", "error[bad-url]"},
		{"nats", "url: nats://a:b@x.example", "the URL holds a login"},
		{"nats", "url: tls://x.example\nsubject: a.*", "error[bad-value]"},
		{"nats", "url: tls://x.example\nuser: a", `"user" and "password" go together`},
		{"nats", "url: tls://x.example\nuser: a\npassword: b\ntoken: c", "error[conflict]"},
		{"nats", "url: tls://x.example\ncreds: none.creds", "there is no such file"},
		{"nats", "url: tls://x.example\nca: none.pem", "error[bad-file]"},
		{"nats", "url: tls://x.example\ncert: none.pem", `"cert" and "key" go together`},
		{"nats", "url: [tls://x.example, tls://y.example]\nuser: a\npassword: b", ""},
		{"kafka", "brokers: []", "error[empty-value]"},
		{"kafka", "brokers: ['x y:9092']", "this is no host and port"},
		{"kafka", "brokers: x.example\nsasl: plain", `"sasl" needs "user" and "password"`},
		{"kafka", "brokers: x.example\nuser: a\npassword: b\nsasl: gssapi", "error[bad-value]"},
		{"kafka", "brokers: x.example\ntls: false\nca: x.pem", "error[conflict]"},
		{"kafka", "brokers: [x.example, 'y.example:9093']\nuser: a\npassword: b", ""},
		{"amqp", "url: https://x.example", "error[bad-url]"},
		{"amqp", "url: amqps://x.example/a/b", "error[bad-url]"},
		{"amqp", "url: amqps://a:bcdefg@x.example/\nuser: c\npassword: d", "error[conflict]"},
		{"amqp", "url: amqps://x.example:99999/", "this is no host and port"},
		{"amqp", "url: amqps://x.example/v%2fhost\nuser: c\npassword: d", ""},
	} {
		got := connectortest.Faults(t, c.kind, c.settings, connectortest.Deps(t))
		if !strings.Contains(got, c.want) || c.want == "" && got != "" || strings.Contains(got, "bcdefg") {
			t.Errorf("%s: %s\ngot %s\nwant %s", c.kind, c.settings, got, c.want)
		}
	}
}

// An action needs a place to send to and one body.
func TestBroker_action(t *testing.T) {
	t.Parallel()
	for kind, place := range map[string]string{"nats": "subject", "kafka": "topic", "amqp": "routing_key"} {
		k := connectortest.MustKind(t, kind)
		for text, want := range map[string]string{
			"{ json: {}, " + place + ": a }":          "",
			"{ body: x, " + place + ": a }":           "",
			"{ json: {} }":                            `needs "` + place + `"`,
			"{ " + place + ": a }":                    "needs json or body",
			"{ json: {}, body: x, " + place + ": a }": "are both the message",
		} {
			n := connectortest.MustParse(t, text)
			list := k.ActionFor(connectortest.MustParse(t, "url: x")).Check(n, n.Fields())
			if got := fmt.Sprint(list); !strings.Contains(got, want) || want == "" && len(list) > 0 {
				t.Errorf("%s: %s: got %s", kind, text, got)
			}
			preset := connectortest.MustParse(t, place+": default")
			if want == `needs "`+place+`"` && len(k.ActionFor(preset).Check(n, n.Fields())) > 0 {
				t.Errorf("%s: the connection's %s is no default", kind, place)
			}
		}
	}
}

// large is a message that no broker of these tests takes.
func large() string { return `{"body":"` + string(bytes.Repeat([]byte("x"), 20<<20)) + `"}` }

// mustCertificate makes a certificate of 127.0.0.1, and a file with what signed it.
func mustCertificate(t testing.TB) (certificate tls.Certificate, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, ca
}
