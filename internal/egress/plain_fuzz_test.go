package egress_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/egress"
)

// Whatever bytes come as an answer, the caller is told what net/http tells.
func FuzzPlainAnswer(f *testing.F) {
	for _, parts := range answers() {
		if len(parts[0]) < 4096 { // larger ones hold up the fuzzer
			f.Add([]byte(parts[0]), true)
		}
	}
	f.Fuzz(func(t *testing.T, answer []byte, post bool) {
		if strings.HasPrefix(string(answer), "HTTP/1.1 101") { // net/http hands the connection over
			return
		}
		dial := func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				if req, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
				}
				_, _ = far.Write(answer)
			}()
			return near, nil
		}
		usual := &http.Transport{DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: egress.MaxHeaderBytes}
		defer usual.CloseIdleConnections()
		var list []told
		for _, transport := range []http.RoundTripper{usual, egress.Plain(dial, nil)} {
			req := httptest.NewRequest(http.MethodGet, "http://receiver.example/", http.NoBody)
			if post {
				req = httptest.NewRequest(http.MethodPost, "http://receiver.example/", strings.NewReader("{}"))
			}
			req.RequestURI = ""
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			list = append(list, ask(transport, req.WithContext(ctx), 1<<20))
			cancel()
		}
		if diff := cmp.Diff(list[0], list[1]); diff != "" {
			t.Errorf("told (-net/http +plain):\n%s", diff)
		}
	})
}
