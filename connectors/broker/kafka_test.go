package broker_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
)

// mustKafka runs a fake cluster with one topic.
func mustKafka(t testing.TB, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	options = append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.SeedTopics(1, "site-events"), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "someone", brokerSecret), kfake.Superuser("SCRAM-SHA-512", "other", brokerSecret),
	}, options...)
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func TestKafka(t *testing.T) {
	t.Parallel()
	cluster := mustKafka(t)
	address := cluster.ListenAddrs()[0]
	c := brokerAt(t, "kafka", brokers()["kafka"], address, connectortest.Deps(t))
	receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{"n":9007199254740993},"key":"321","headers":{"X-Kind":"order"}}`))
	if err != nil || string(receipt.Answer) != `{"offset":0,"partition":0,"topic":"site-events"}` {
		t.Fatalf("got %s, %v", receipt.Answer, err)
	}
	if diff := cmp.Diff(map[string]event.Output{"topic": `"site-events"`, "partition": "0", "offset": "0"}, receipt.Outputs); diff != "" {
		t.Error(diff)
	}
	scram := brokerAt(t, "kafka", "brokers: [ADDRESS]\ntopic: site-events\ntls: false\nuser: other\npassword: "+brokerSecret, address, connectortest.Deps(t))
	if _, err := scram.Deliver(t.Context(), delivery2(4712, `{"body":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics("site-events"), kgo.SASL(plainAuth()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for len(records) < 2 {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		records = append(records, fetches.Records()...)
	}
	headers := map[string]string{}
	for _, h := range records[0].Headers {
		headers[h.Key] = string(h.Value)
	}
	if string(records[0].Value) != `{"n":9007199254740993}` || string(records[0].Key) != "321" || headers["X-Kind"] != "order" ||
		headers["message-id"] != connectortest.Delivery("").ID.String() || headers["content-type"] != "application/json" {
		t.Errorf("got %s %s %v", records[0].Key, records[0].Value, headers)
	}
	if string(records[1].Value) != "hello" || records[1].Key != nil {
		t.Errorf("got %+v", records[1])
	}
	if tried, err := c.(connectors.Tester).Test(t.Context(), 1); err != nil || tried.Said != "logged in" {
		t.Errorf("got %+v, %v", tried, err)
	}
}

func TestKafka_failures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ settings, output, outcome, text string }{
		"no such topic": {"", `{"json":{},"topic":"elsewhere"}`, "permanent", "UNKNOWN_TOPIC_OR_PARTITION"},
		"too large":     {"", large(), "permanent", "MESSAGE_TOO_LARGE"},
		"hung up on":    {"brokers: ADDRESS\ntopic: site-events\ntls: false\nuser: someone\npassword: canary-wrong-0002\nsasl: plain", `{"json":{}}`, "transient", "connection closed"},
		"no TLS there":  {"brokers: ADDRESS\ntopic: site-events\nuser: someone\npassword: " + brokerSecret, `{"json":{}}`, "transient", ""},
	} {
		cluster := mustKafka(t)
		settings := tc.settings
		if settings == "" {
			settings = brokers()["kafka"]
		}
		deps := connectortest.Deps(t)
		deps.Timeout = 5 * time.Second
		_, err := brokerAt(t, "kafka", settings, cluster.ListenAddrs()[0], deps).Deliver(t.Context(), connectortest.Delivery(tc.output))
		if connectortest.Outcome(err) != tc.outcome || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %s: %v, want %s: %s", name, connectortest.Outcome(err), err, tc.outcome, tc.text)
		}
	}
}

// What the broker answers decides; what may pass is another try's.
func TestKafka_answers(t *testing.T) {
	t.Parallel()
	for refusal, want := range map[*kerr.Error]string{
		kerr.TopicAuthorizationFailed: "permanent", kerr.InvalidRecord: "permanent", kerr.PolicyViolation: "permanent",
		kerr.NotEnoughReplicas: "transient", kerr.KafkaStorageError: "transient", kerr.RequestTimedOut: "transient",
	} {
		cluster := mustKafka(t)
		cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			produce := req.(*kmsg.ProduceRequest)
			resp := produce.ResponseKind().(*kmsg.ProduceResponse)
			for _, topic := range produce.Topics {
				answer := kmsg.NewProduceResponseTopic()
				answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
				for _, partition := range topic.Partitions {
					one := kmsg.NewProduceResponseTopicPartition()
					one.Partition, one.ErrorCode = partition.Partition, refusal.Code
					answer.Partitions = append(answer.Partitions, one)
				}
				resp.Topics = append(resp.Topics, answer)
			}
			return resp, nil, true
		})
		deps := connectortest.Deps(t)
		deps.Timeout = 5 * time.Second
		_, err := brokerAt(t, "kafka", brokers()["kafka"], cluster.ListenAddrs()[0], deps).Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`))
		if connectortest.Outcome(err) != want {
			t.Errorf("%s: got %s: %v, want %s", refusal.Message, connectortest.Outcome(err), err, want)
		}
	}
}

// A login that is refused is refused for good.
func TestKafka_login(t *testing.T) {
	t.Parallel()
	cluster := mustKafka(t)
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.(*kmsg.SASLAuthenticateRequest).ResponseKind().(*kmsg.SASLAuthenticateResponse)
		words := "no such user, or the password " + brokerSecret + " is wrong"
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, &words
		return resp, nil, true
	})
	_, err := brokerAt(t, "kafka", brokers()["kafka"], cluster.ListenAddrs()[0], connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`))
	if connectortest.Outcome(err) != "permanent" || !strings.Contains(err.Error(), "SASL_AUTHENTICATION_FAILED") || strings.Contains(err.Error(), brokerSecret) {
		t.Errorf("got %s: %v", connectortest.Outcome(err), err)
	}
}

// The certificate is judged by the file that ca names.
func TestKafka_tls(t *testing.T) {
	t.Parallel()
	certificate, ca := mustCertificate(t)
	cluster := mustKafka(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
	settings := "brokers: ADDRESS\ntopic: site-events\nuser: someone\npassword: " + brokerSecret + "\nsasl: plain\n"
	deps := connectortest.Deps(t)
	deps.Timeout = 3 * time.Second
	if _, err := brokerAt(t, "kafka", settings+"ca: "+ca, cluster.ListenAddrs()[0], deps).Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`)); err != nil {
		t.Error(err)
	}
	_, err := brokerAt(t, "kafka", settings, cluster.ListenAddrs()[0], deps).Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`))
	if connectortest.Outcome(err) != "transient" || err.Error() != "TLS: the certificate is signed by an unknown authority" {
		t.Errorf("got %s: %v", connectortest.Outcome(err), err)
	}
}

// The client comes back after it was closed.
func TestKafka_reconnects(t *testing.T) {
	t.Parallel()
	c := brokerAt(t, "kafka", brokers()["kafka"], mustKafka(t).ListenAddrs()[0], connectortest.Deps(t))
	again(t, c, 4720)
	if err := c.(interface{ Close() error }).Close(); err != nil {
		t.Error(err)
	}
	again(t, c, 4730)
}
