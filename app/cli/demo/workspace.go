package demo

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// workspace is the demo's temporary folder: a config, its .env and,
// later, what the sales team adds to it and the database.
type workspace struct {
	dir           string
	listen        string // host:port of the server
	token         string // of the source sitejet
	signingSecret string
}

// config is the path of the config file.
func (w *workspace) config() string { return filepath.Join(w.dir, "config.yaml") }

// newWorkspace makes the folder. receiver is the base URL of the receiver.
func newWorkspace(receiver string) (w *workspace, err error) {
	w = &workspace{token: rand.Text()}
	if w.dir, err = os.MkdirTemp("", "hookgate-demo-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.remove()
		}
	}()
	if w.listen, err = freeAddress(); err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	w.signingSecret = "whsec_" + base64.StdEncoding.EncodeToString(secret)
	env := []string{
		"DEMO_LISTEN=" + w.listen,
		"DEMO_PAGE=" + receiver,
		"DEMO_PASSWORD=" + rand.Text(),
		"SITEJET_TOKEN=" + w.token,
		"BILLING_URL=" + receiver + billingPath,
		"BILLING_SIGNING_SECRET=" + w.signingSecret,
		"SLACK_WEBHOOK_URL=" + receiver + slackPath,
	}
	if err := os.WriteFile(filepath.Join(w.dir, ".env"), []byte(strings.Join(env, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(w.dir, "sales"), 0o700); err != nil {
		return nil, err
	}
	return w, w.unpack("config.yaml")
}

// unpack writes an embedded file of the config.
func (w *workspace) unpack(name string) error {
	content, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, filepath.FromSlash(name)), content, 0o600)
}

// remove deletes the folder with all that is in it.
func (w *workspace) remove() { _ = os.RemoveAll(w.dir) }

// freeAddress finds a port on the loopback that nobody listens on now. It is
// below those that the system gives to clients, lest one of them take it.
func freeAddress() (string, error) {
	const first, count, tries = 20000, 12000, 50
	var last error
	for range tries {
		n, err := rand.Int(rand.Reader, big.NewInt(count))
		if err != nil {
			return "", err
		}
		address := net.JoinHostPort("127.0.0.1", strconv.FormatInt(first+n.Int64(), 10))
		l, err := net.Listen("tcp", address) //nolint:noctx // it returns at once
		if err == nil {
			return address, l.Close()
		}
		last = err
	}
	return "", fmt.Errorf("no free port: %w", last)
}
