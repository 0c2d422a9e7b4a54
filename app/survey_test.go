package app_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/internal/schema"
	"hookgate/test/pgtest"
)

// seen is what a check beside no server finds in the database.
func seen(t *testing.T, path string) (events int, report string, err error) {
	t.Helper()
	_, found, _ := app.Check(t.Context(), path, func(ctx context.Context, l *app.Plan) (map[string]schema.Source, bool) {
		var origins map[string]schema.Source
		var ok bool
		origins, ok, err = app.Seen(ctx, l)
		for _, o := range origins {
			events += o.Events()
		}
		return origins, ok
	}, false)
	return events, found.List.Error(), err
}

// Without a server, a check looks into PostgreSQL as it does into a file. It
// fails when openReader does not: then no field can be called unseen.
func TestSeen_postgres(t *testing.T) {
	t.Parallel()
	target, _ := sink(t)
	text := document(freePort(t), target, "one") + "storage: { url: \"" + pgtest.Shared(t).URL(t) + "\" }\n"
	path := mustWrite(t, text)
	if events, _, err := seen(t, path); events != 0 || err != nil {
		t.Errorf("before the first start: %d events, %v", events, err)
	}
	a := mustRun(t, path)
	for range 12 {
		if status := post(t, a, `{"customer":"x"}`); status != 202 {
			t.Fatal(status)
		}
	}
	other := mustWrite(t, strings.Replace(text, "rules:\n", "rules:\n  - { name: slip, from: s, when: data.custmer == \"x\", then: [{ to: sink, json: {} }] }\n", 1))
	events, report, err := seen(t, other)
	if events != 12 || err != nil || !strings.Contains(report, "none of the last 12 s events had data.custmer") {
		t.Errorf("%d events, %v\n%s", events, err, report)
	}
}

// A database that does not answer costs a check nothing but what it would have
// told, and the reason is given without the password.
func TestSeen_unreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	target, _ := sink(t)
	path := mustWrite(t, document(freePort(t), target, "one")+"storage: { url: \"postgres://u:geheim@"+address+"/x\" }\n")
	events, report, err := seen(t, path)
	if events != 0 || err == nil || strings.Contains(err.Error(), "geheim") || strings.Contains(report, "error[") {
		t.Errorf("%d events, %v\n%s", events, err, report)
	}
}
