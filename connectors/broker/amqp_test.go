package broker_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
	"hookgate/test/lab"
	"hookgate/test/rabbittest"
)

func plainAuth() sasl.Mechanism {
	return plain.Auth{User: "someone", Pass: brokerSecret}.AsMechanism()
}

func delivery2(id int64, output string) event.Delivery {
	d := connectortest.Delivery(output)
	d.ID = event.DeliveryID(id)
	return d
}

// mustQueue makes a queue of the test's own and returns its name and what
// takes from it.
func mustQueue(t *testing.T, suffix string, arguments amqp.Table) (*amqp.Channel, string) {
	t.Helper()
	conn, err := amqp.Dial("amqp://guest:guest@" + rabbittest.Shared(t).Address + "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	name := "q-" + t.Name() + suffix
	if _, err := ch.QueueDeclare(name, true, false, false, false, arguments); err != nil {
		t.Fatal(err)
	}
	return ch, name
}

func amqpAt(t *testing.T, settings string) connectors.Connector {
	t.Helper()
	deps := connectortest.Deps(t)
	deps.Timeout = 10 * time.Second
	return brokerAt(t, "amqp", settings, rabbittest.Shared(t).Address, deps)
}

func TestAMQP(t *testing.T) {
	t.Parallel()
	ch, queue := mustQueue(t, "", nil)
	c := amqpAt(t, "url: amqp://guest:guest@ADDRESS/\nrouting_key: "+queue)
	receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{"n":9007199254740993},"headers":{"X-Kind":"order"}}`))
	if err != nil || !strings.Contains(string(receipt.Answer), `"confirmed":true`) {
		t.Fatalf("got %s, %v", receipt.Answer, err)
	}
	message, ok, err := ch.Get(queue, true)
	if err != nil || !ok || string(message.Body) != `{"n":9007199254740993}` || message.MessageId != connectortest.Delivery("").ID.String() ||
		message.DeliveryMode != amqp.Persistent || message.ContentType != "application/json" || message.Headers["X-Kind"] != "order" {
		t.Errorf("got %+v, %v", message, err)
	}
	if tried, err := c.(connectors.Tester).Test(t.Context(), 1); err != nil || tried.Said != "logged in to RabbitMQ" {
		t.Errorf("got %+v, %v", tried, err)
	}
}

func TestAMQP_failures(t *testing.T) {
	t.Parallel()
	_, queue := mustQueue(t, "", nil)
	full, bounded := mustQueue(t, "-full", amqp.Table{"x-max-length": 1, "x-overflow": "reject-publish"})
	if err := full.Publish("", bounded, false, false, amqp.Publishing{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	ordinary := "url: amqp://guest:guest@ADDRESS/\nrouting_key: " + queue
	for name, tc := range map[string]struct{ settings, output, outcome, text string }{
		"no queue":    {ordinary, `{"json":{},"routing_key":"nowhere"}`, "permanent", "nothing is bound"},
		"no exchange": {ordinary, `{"json":{},"exchange":"nowhere"}`, "permanent", "NOT_FOUND"},
		"full queue":  {ordinary, `{"json":{},"routing_key":"` + bounded + `"}`, "transient", "did not take"},
		"long key":    {ordinary, `{"json":{},"routing_key":"` + strings.Repeat("x", 256) + `"}`, "permanent", "255"},
		"wrong login": {"url: amqp://guest:canary-wrong-0002@ADDRESS/\nrouting_key: x", `{"json":{}}`, "permanent", "AMQP says"},
		"wrong vhost": {"url: amqp://guest:guest@ADDRESS/nowhere\nrouting_key: x", `{"json":{}}`, "permanent", "AMQP says"},
		"reserved":    {ordinary, `{"json":{},"exchange":"amq.rabbitmq.log"}`, "permanent", ""},
	} {
		_, err := amqpAt(t, tc.settings).Deliver(t.Context(), connectortest.Delivery(tc.output))
		if connectortest.Outcome(err) != tc.outcome || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %s: %v, want %s: %s", name, connectortest.Outcome(err), err, tc.outcome, tc.text)
		}
	}
}

// Attempts at once have channels of their own, and a failure of one harms no
// other.
func TestAMQP_concurrent(t *testing.T) {
	t.Parallel()
	ch, queue := mustQueue(t, "", nil)
	c := amqpAt(t, "url: amqp://guest:guest@ADDRESS/\nrouting_key: "+queue)
	const attempts = 200
	failed := make(chan string, attempts)
	for i := range attempts {
		go func() {
			output, want := `{"json":{}}`, "delivered"
			switch i % 10 {
			case 3:
				output, want = `{"json":{},"exchange":"nowhere"}`, "permanent"
			case 7:
				output, want = `{"json":{},"routing_key":"nowhere"}`, "permanent"
			}
			_, err := c.Deliver(t.Context(), delivery2(int64(5000+i), output))
			if connectortest.Outcome(err) != want {
				failed <- fmt.Sprintf("%d: got %s: %v, want %s", i, connectortest.Outcome(err), err, want)
				return
			}
			failed <- ""
		}()
	}
	for range attempts {
		if text := <-failed; text != "" {
			t.Error(text)
		}
	}
	if q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil); err != nil || q.Messages != attempts*8/10 {
		t.Errorf("%d messages arrived (%v), want %d", q.Messages, err, attempts*8/10)
	}
	if err := c.(interface{ Close() error }).Close(); err != nil {
		t.Error(err)
	}
	again(t, c, 4730)
}

// A broker that is short of memory stops reading in the middle of a message:
// the attempt ends with its time or with the stop, and the connection with it.
// Negative control: without the closing of the socket at the end of an attempt
// the second case takes a minute, and without the patience of writes too both
// of them wait for ever.
func TestAMQP_stall(t *testing.T) {
	t.Parallel()
	const soon = 20 * time.Second // a third of what the longer time allows: a busy machine takes some of it
	_, queue := mustQueue(t, "", nil)
	large := `{"body":"` + strings.Repeat("x", 16<<20) + `"}`
	for name, tc := range map[string]struct{ timeout, stop time.Duration }{
		"timeout": {2 * time.Second, time.Minute},
		"stop":    {time.Minute, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := lab.NewProxy(t, rabbittest.Shared(t).Address)
			deps := connectortest.Deps(t)
			deps.Timeout = tc.timeout
			c := brokerAt(t, "amqp", "url: amqp://guest:guest@ADDRESS/\nrouting_key: "+queue, proxy.Addr, deps)
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`)); err != nil {
				t.Fatal(err)
			}
			proxy.Cut()
			ctx, cancel := context.WithTimeout(t.Context(), tc.stop)
			defer cancel()
			begun := time.Now()
			_, err := c.Deliver(ctx, connectortest.Delivery(large))
			if wrong := connectortest.Outcome(err) == "permanent" || err == nil; wrong || time.Since(begun) > soon {
				t.Errorf("got %s after %s: %v", connectortest.Outcome(err), time.Since(begun), err)
			}
			begun = time.Now()
			_ = c.(io.Closer).Close()
			if took := time.Since(begun); took > soon {
				t.Errorf("closing took %s", took)
			}
			proxy.Heal()
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`)); err != nil {
				t.Errorf("once it reads again: %v", err)
			}
		})
	}
}
