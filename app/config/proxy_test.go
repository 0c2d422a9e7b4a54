package config_test

import (
	"testing"

	"hookgate/app/config"
)

// Behind a proxy that is not trusted all visitors share one limit; behind one
// network of everybody each can claim any address.
func TestParse_proxies(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"{ public_url: https://a.example }":                                          "no-trusted-proxy",
		"{ public_url: https://a.example, listen: \"localhost:8080\" }":              "no-trusted-proxy",
		"{ public_url: https://a.example, listen: \":8080\" }":                       "",
		"{ public_url: http://a.example }":                                           "",
		"{ public_url: https://a.example, trusted_proxies: [127.0.0.1] }":            "",
		"{ public_url: https://a.example, trusted_proxies: [0.0.0.0/0] }":            "trusts-all",
		"{ public_url: https://a.example, trusted_proxies: [\"::/0\", 10.0.0.0/8] }": "trusts-all",
	} {
		_, report := config.Parse("config.yaml", []byte("version: 1\nserver: "+server+"\n"), lookup(nil))
		got := ""
		for _, d := range report.List {
			got += d.Code
		}
		if got != want || report.Err() != nil {
			t.Errorf("%s: %q, %v, want %q", server, got, report.Err(), want)
		}
	}
}
