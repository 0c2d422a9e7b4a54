package web_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// requestText is a Sitejet event as a sender's client posts it.
func requestText(path string) string {
	content := `{"event":"website_status_changed","previousStatus":"Publish","website":{"id":321654,"title":"Harry's Diner","status":"Done","pad":"` +
		strings.Repeat("x", 1500) + `"}}`
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: hooks.agency.example\r\nUser-Agent: Sitejet/1.0\r\nAccept: */*\r\n"+
		"Content-Type: application/json\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", path, len(content), content)
}

func benchmarkConn(b *testing.B, addr, text string) {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 4096)
	out := []byte(text)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(out); err != nil {
			b.Fatal(err)
		}
		n, err := conn.Read(answer)
		if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 202") {
			b.Fatalf("%v %q", err, answer[:n])
		}
	}
}

// BenchmarkIn is the hot path without the intake, and BenchmarkEcho is what
// Fiber alone costs, in the same terms.
func BenchmarkIn(b *testing.B) {
	f := start(b)
	f.intake.forget = true
	benchmarkConn(b, f.addr, requestText("/in/sitejet/"+sitejetToken))
}

// BenchmarkEcho is the least that a Fiber server does.
func BenchmarkEcho(b *testing.B) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/in/:source/:token", func(c *fiber.Ctx) error {
		return c.Status(fiber.StatusAccepted).Send(c.BodyRaw())
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = app.Listener(ln) }()
	b.Cleanup(func() { _ = app.Shutdown() })
	benchmarkConn(b, ln.Addr().String(), requestText("/in/sitejet/"+sitejetToken))
}
