package egress_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"hookgate/internal/egress"
)

// Negative control: with every address allowed (TestAllowPrivate) the same
// server sees connections by the same forms.
//
// Promise: T9.
func TestRefused_forms(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, ":0", ok)
	// A DNS server that gives every odd form this machine's address, and the
	// system's resolver, which may read 127.1 as the C library does.
	dns := egress.New(egress.Config{Resolver: mustResolver(t, netip.MustParseAddr("127.0.0.1"))})
	system := egress.New(egress.Config{})
	forms := append(loopbackForms(), reservedForms()...)
	if len(forms) < 150 {
		t.Errorf("there are %d forms, want at least 150", len(forms))
	}
	refused := 0
	for _, form := range forms {
		clients := []*egress.Client{dns}
		if strings.Trim(form, "0123456789.") == "" { // needs no look-up outside of this machine
			clients = append(clients, system)
		}
		for _, c := range clients {
			_, err := get(t, c, "http://"+form+":"+tg.port+"/")
			var unknown *net.DNSError // Go takes a name of digits for none at all
			switch {
			case errors.Is(err, egress.ErrRefused) && strings.Contains(err.Error(), "is private: allow it with outbound.allow_private"):
				refused++
			case !errors.As(err, &unknown):
				t.Errorf("%s: %v, want a refusal with the remedy", form, err)
			}
		}
	}
	if refused < 150 {
		t.Errorf("%d forms reached the guard, want at least 150", refused)
	}
	if n := tg.connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	all := egress.New(egress.Config{})
	for _, form := range append(loopbackForms(), reservedForms()...) {
		text := strings.ReplaceAll(strings.Trim(form, "[]"), "%25", "%")
		if addr, err := netip.ParseAddr(text); err == nil && !errors.Is(all.Check(addr), egress.ErrRefused) {
			t.Errorf("%s is allowed", addr)
		}
	}
	if all.Check(netip.Addr{}) == nil {
		t.Error("no address at all is allowed")
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"} {
		if err := all.Check(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheck_allowed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		allow           []netip.Prefix
		allowed, denied []string
	}{
		"one network":      {prefixes("10.1.0.0/16"), []string{"10.1.2.3", "::ffff:10.1.2.3"}, []string{"10.2.0.1", "127.0.0.1", "::1"}},
		"one address":      {prefixes("127.0.0.1/32"), []string{"127.0.0.1", "::ffff:127.0.0.1"}, []string{"127.0.0.2", "::1", "::127.0.0.1"}},
		"written as IPv6":  {prefixes("::ffff:10.0.0.0/104"), []string{"10.9.9.9"}, []string{"11.0.0.0.1", "192.168.0.1"}},
		"IPv6":             {prefixes("fd00::/8"), []string{"fd12::1"}, []string{"fc00::1", "10.0.0.1"}},
		"link-local, zone": {prefixes("fe80::/10"), []string{"fe80::1", "fe80::1%eth0"}, []string{"fec0::1"}},
		"NAT64":            {prefixes("64:ff9b::/96"), []string{"64:ff9b::8.8.8.8"}, []string{"64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1"}},
		"NAT64 and within": {prefixes("64:ff9b::/96", "10.0.0.0/8"), []string{"64:ff9b::10.0.0.1"}, []string{"64:ff9b::7f00:1"}},
		"an empty prefix":  {[]netip.Prefix{{}}, []string{"8.8.8.8"}, []string{"10.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := egress.New(egress.Config{AllowPrivate: tc.allow})
			for _, text := range tc.allowed {
				if err := c.Check(netip.MustParseAddr(text)); err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
			for _, text := range tc.denied {
				if addr, err := netip.ParseAddr(text); err == nil && c.Check(addr) == nil {
					t.Errorf("%s is allowed", text)
				}
			}
		})
	}
}
