package connectors

import (
	"crypto/tls"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// tlsYAML is how a connection shows who it is, as it is written.
type tlsYAML struct {
	Cert yamlnode.Text `yaml:"cert" doc:"A file with our certificate (PEM), for receivers that want one." example:"/etc/hookgate/client.pem"`
	Key  yamlnode.Text `yaml:"key" doc:"The file with its private key (PEM)." example:"/etc/hookgate/client.key"`
	CA   yamlnode.Text `yaml:"ca" doc:"A file of certificates (PEM) that the receiver's must be signed by, in place of the system's authorities." example:"/etc/hookgate/ca.pem"`
}

// Noun names the mapping in messages.
func (tlsYAML) Noun() string { return "tls" }

// readTLS reads the files. The certificate is read again at each handshake, so
// that a renewed one serves without a reload.
func (s *webhookSettings) readTLS(n yamlnode.Node, y *tlsYAML) diag.List {
	if y == nil || n.Kind() != yamlnode.Map {
		return nil
	}
	var list diag.List
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case y.Cert.IsZero() != y.Key.IsZero():
		list = append(list, n.Diag("missing-key", "", `tls needs both "cert" and "key", or neither`))
	case !y.Cert.IsZero():
		cert, key := besideConfig(y.Cert), besideConfig(y.Key)
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			list = append(list, y.Cert.Diag("bad-file", "", "the certificate and its key cannot be used: %s", fileFault(err)))
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(cert, key)
			return &pair, err
		}
	}
	if !y.CA.IsZero() {
		pool, faults := readAuthorities(y.CA)
		list = append(list, faults...)
		config.RootCAs = pool
	}
	s.tls = config
	return list
}
