package connectors

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// BesideConfig is the path of a file that a setting names: a relative one
// starts at the folder of the configuration file.
func BesideConfig(path yamlnode.Text) string {
	if filepath.IsAbs(path.Value) {
		return path.Value
	}
	return filepath.Join(filepath.Dir(path.Pos().File), path.Value)
}

// FileFault says in plain words why a file cannot be read.
func FileFault(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "access is not allowed"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// CheckReadable is why a file cannot be read, nil if it can.
func CheckReadable(path string) error {
	f, err := os.Open(path) //nolint:gosec // the path is the configuration's
	if err != nil {
		return err
	}
	return f.Close()
}

// CheckURL checks the URL in node, and warns where its host is written as an
// address that client will refuse. The messages do not hold the URL.
func CheckURL(node yamlnode.Node, raw event.Secret, client *egress.Client) (*url.URL, diag.List) {
	key := KeyName(node)
	u, err := egress.CheckURL(raw.Reveal())
	if err != nil {
		var hinted interface{ Hint() string }
		hint := ""
		if errors.As(err, &hinted) {
			hint = hinted.Hint()
		}
		return nil, diag.List{node.Diag("bad-url", hint, "%q is no usable URL: %s", key, err)}
	}
	addr, notAddress := netip.ParseAddr(u.Hostname())
	if notAddress == nil && client != nil && client.Check(addr) != nil {
		warning := node.Diag("private-address", "allow it with outbound.allow_private", "%q is not a public address: nothing can be sent there", key)
		warning.Severity = diag.Warning
		return u, diag.List{warning}
	}
	return u, nil
}

// KeyName is the last part of a node's path.
func KeyName(n yamlnode.Node) string {
	path := n.Text().Path()
	return path[strings.LastIndexByte(path, '.')+1:]
}

// ReadAuthorities reads the certificates in the file that path names, by which
// the receiver's certificate is judged in place of the system's authorities. A
// relative path starts at the folder of the configuration.
func ReadAuthorities(path yamlnode.Text) (*x509.CertPool, diag.List) {
	content, err := os.ReadFile(BesideConfig(path))
	if err != nil {
		return nil, diag.List{path.Diag("bad-file", "", "the certificates cannot be read: %s", FileFault(err))}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, diag.List{path.Diag("bad-file", "it starts with -----BEGIN CERTIFICATE-----", "the file holds no certificate in PEM form")}
	}
	return pool, nil
}

// IsLoopback reports whether a host is this machine by name or address.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && addr.Unmap().IsLoopback())
}

// checkSettings checks what holds for the settings of every kind: they are the
// same for all events, so a ${{ }} in them is an error; and one without
// encryption is warned of where a secret goes along.
func checkSettings(k Kind, n yamlnode.Node) diag.List {
	list := templatesIn(n)
	if hasSecret(n, k.Settings) {
		list = append(list, unencrypted(n)...)
	}
	return list
}

// templatesIn are the texts in n that are written with a ${{ }}.
func templatesIn(n yamlnode.Node) diag.List {
	var list diag.List
	eachScalar(n, func(n yamlnode.Node) {
		text := n.Text()
		if strings.Contains(strings.ReplaceAll(text.Written(), "$${{", ""), "${{") {
			list = append(list, text.Diag("template-in-setting", "write it into the action of a rule; ${NAME} is a variable of the environment", "%q is a setting: it is the same for all events, and cannot hold ${{ }}", KeyName(n)))
		}
	})
	return list
}

// unencrypted warns of each URL in n that is http to another machine.
func unencrypted(n yamlnode.Node) diag.List {
	var list diag.List
	eachScalar(n, func(n yamlnode.Node) {
		text := n.Text()
		u, err := url.Parse(strings.TrimSpace(text.Value))
		if err == nil && strings.EqualFold(u.Scheme, "http") && u.Hostname() != "" && !IsLoopback(u.Hostname()) {
			warning := text.Diag("no-encryption", "write https:// if the receiver speaks it", "what is sent there, and the secret with it, can be read on the way")
			warning.Severity = diag.Warning
			list = append(list, warning)
		}
	})
	return list
}

// eachScalar calls do with each scalar in n.
func eachScalar(n yamlnode.Node, do func(yamlnode.Node)) {
	if n.Kind() == yamlnode.Scalar {
		do(n)
	}
	for _, item := range n.Items() {
		eachScalar(item, do)
	}
	for _, f := range n.Fields() {
		eachScalar(f.Value, do)
	}
}

// hasSecret reports whether n has a setting that is a secret. The address of any
// receiver is treated as one; here it counts where it is the credential: in a
// setting of its own, such as webhook_url, or with a query or a token in it.
func hasSecret(n yamlnode.Node, settings []Setting) bool {
	for _, s := range settings {
		value := n.Get(s.Name)
		if value.IsZero() {
			continue
		}
		u, err := url.Parse(strings.TrimSpace(value.Text().Value))
		plain := s.Name == "url" && err == nil && strings.EqualFold(u.Scheme, "http") && len(credentials(u)) == 0
		if s.Secret && !plain || hasSecret(value, s.Fields) {
			return true
		}
	}
	return false
}
