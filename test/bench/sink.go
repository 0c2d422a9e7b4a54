package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// receiver is where events are sent to: one process with a listener for each
// way in which receivers are reached.
type receiver struct {
	*server               // its address is that of plain HTTP
	TLS1, TLS2     string // the addresses of HTTP/1.1 and of HTTP/2 over TLS
	authority, key string // files: its certificate, which signs itself, and the certificate's key
}

// startReceiver makes a certificate in the folder and starts the process.
func startReceiver(dir string) (*receiver, error) {
	r := &receiver{authority: filepath.Join(dir, "sink.pem"), key: filepath.Join(dir, "sink.key")}
	if err := r.makeCertificate(); err != nil {
		return nil, err
	}
	var addrs [3]string
	for i := range addrs {
		var err error
		if addrs[i], err = freeAddr(); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r.TLS1, r.TLS2 = addrs[1], addrs[2]
	r.server, err = start(addrs[0], "/", nil, self, "sink", addrs[0], addrs[1], addrs[2], r.authority, r.key)
	return r, err
}

func (r *receiver) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(r.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

// url is where an action posts to, in the receiver's way of that name.
func (r *receiver) url(way, path string) string {
	switch way {
	case overTLS1:
		return "https://" + r.TLS1 + path
	case overTLS2:
		return "https://" + r.TLS2 + path
	}
	return "http://" + r.addr + path
}

// The ways in which receivers are reached.
const (
	plain    = "HTTP/1.1"
	overTLS1 = "HTTP/1.1 over TLS"
	overTLS2 = "HTTP/2 over TLS"
)

// count is how many posts have come in.
func (r *receiver) count() (int, error) {
	text, err := get("http://" + r.addr + "/")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

// await waits until so many posts have come in.
func (r *receiver) await(want int, within time.Duration) error {
	for deadline := time.Now().Add(within); ; time.Sleep(2 * time.Millisecond) {
		got, err := r.count()
		if err != nil {
			return err
		}
		if got >= want {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the sink got %d of %d posts", got, want)
		}
	}
}

// refusing is the path at which the sink refuses what it gets, over plain HTTP.
const refusing = "/to-refused"

// receive is the program's part as the sink: it answers 200 to every post but those to
// refusing and counts them all; a GET of the first address tells the number.
func receive(args []string) error {
	var count atomic.Int64
	over := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			count.Add(1)
		}),
	}
	for n, addr := range args[1:3] {
		s := &http.Server{Addr: addr, Handler: over.Handler, ReadHeaderTimeout: over.ReadHeaderTimeout, Protocols: new(http.Protocols)}
		s.Protocols.SetHTTP1(n == 0)
		s.Protocols.SetHTTP2(n == 1)
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS13}
		go func() {
			fmt.Fprintln(os.Stderr, "sink:", s.ListenAndServeTLS(args[3], args[4]))
			os.Exit(1)
		}()
	}
	server := &fasthttp.Server{
		NoDefaultServerHeader: true,
		MaxRequestBodySize:    64 << 20,
		Handler: func(c *fasthttp.RequestCtx) {
			if c.IsPost() {
				count.Add(1)
				if string(c.Path()) == refusing {
					c.SetStatusCode(http.StatusNotFound)
				}
				return
			}
			c.SetBodyString(strconv.FormatInt(count.Load(), 10))
		},
	}
	return server.ListenAndServe(args[0])
}

// bare is how a post alone is made: the other half of the yardstick for a delivery.
type bare struct {
	URL, Authority string
	Body           []byte
	Count          int
}

// measureBare runs the client alone in a process of its own. It returns the CPU
// time of one post.
func measureBare(b bare) (time.Duration, error) {
	var used time.Duration
	_, err := child(b, &used, "post")
	return used, err
}

// post is the program's part as the client alone: it posts by net/http with
// kept connections, 16 at a time as a connection of the configuration does, and
// prints the CPU time of one post.
func post() error {
	var b bare
	if err := json.NewDecoder(os.Stdin).Decode(&b); err != nil {
		return err
	}
	authority, err := os.ReadFile(b.Authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: atOnce, ForceAttemptHTTP2: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
	// The first round connects and is not counted: connections are kept.
	if err := posts(client, b, atOnce); err != nil {
		return err
	}
	before := cpuTime(os.Getpid())
	if err := posts(client, b, b.Count); err != nil {
		return err
	}
	used := cpuTime(os.Getpid()) - before
	return json.NewEncoder(os.Stdout).Encode(used / time.Duration(b.Count))
}

func posts(client *http.Client, b bare, n int) error {
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	errs := make(chan error, atOnce)
	for range atOnce {
		go func() {
			for range work {
				if err := postOnce(client, b); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var failed error
	for range atOnce {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	return failed
}

func postOnce(client *http.Client, b bare) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.URL, bytesReader(b.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the post: %w", err)
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return err
}
