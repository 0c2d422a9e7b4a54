package config

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that timezone works in an image without the system's database

	"hookgate/internal/diag"
	"hookgate/internal/locale"
	"hookgate/internal/yamlnode"
)

func (s *Server) decode(n yamlnode.Node) diag.List {
	var list diag.List
	if n.Kind() != yamlnode.Null {
		list = n.Decode("server", s)
	}
	if !isAddress(s.Listen) {
		list = append(list, n.Get("listen").Diag("bad-value", "such as 127.0.0.1:8080, or :8080 for all addresses", `"listen" must be host:port`))
	}
	if s.PublicURL != "" || !n.Get("public_url").IsZero() {
		list = append(list, s.checkURL(n.Get("public_url"))...)
	}
	location, err := time.LoadLocation(s.Timezone)
	if err != nil || s.Timezone == "" {
		list = append(list, n.Get("timezone").Diag("bad-value", "such as Europe/Berlin", `"timezone" is no name of the IANA database`))
	} else {
		s.Location = location
	}
	if _, known := locale.Find(s.Lang); !known {
		list = append(list, n.Get("lang").Diag("bad-value", "one of "+strings.Join(locale.Tags(), ", "), "%q is no language that is known here", s.Lang))
	}
	list = slices.Concat(list, s.checkProxies(n), s.Admin.check(n.Get("admin")))
	if oidc := n.Get("admin").Get("oidc"); oidc.Kind() == yamlnode.Map && s.PublicURL == "" {
		list = append(list, oidc.Diag("no-public-url", "set server.public_url to the address that people reach hookgate at",
			"the provider sends people back to server.public_url, which is not set").Weigh(diag.Warning))
	}
	return list
}

// isAddress reports whether text is host:port. The host may be left out.
func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// BaseURL is where the server is reached, without a slash at its end: as
// public_url says, else from its own machine.
func (s *Server) BaseURL() string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	return "http://" + local(s.Listen)
}

// local is how this machine reaches an address that a server listens on.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// checkURL wants what a path can be put behind.
func (s *Server) checkURL(n yamlnode.Node) diag.List {
	if n.Kind() != yamlnode.Scalar {
		return nil // said by the decoder
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	u, err := url.Parse(s.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return diag.List{n.Diag("bad-url", "such as https://hooks.agency.example", `"public_url" must be http:// or https:// and a host, without user, ? or #`)}
	}
	return nil
}

// checkProxies warns where all visitors would be one, and share one limit, and
// where each could say that he is another.
func (s *Server) checkProxies(n yamlnode.Node) diag.List {
	var list diag.List
	trusted := n.Get("trusted_proxies")
	for _, p := range s.TrustedProxies {
		if p.Bits() == 0 {
			list = append(list, trusted.Diag("trusts-all", "name the address of your proxy, such as 127.0.0.1",
				"%s trusts everybody: each sender can claim any address in X-Forwarded-For", p).Weigh(diag.Warning))
		}
	}
	if strings.HasPrefix(s.PublicURL, "https://") && s.onLoopback() && len(s.TrustedProxies) == 0 {
		list = append(list, n.Get("public_url").Diag("no-trusted-proxy", "write trusted_proxies: [127.0.0.1] where the proxy is on this machine",
			"a proxy must answer at this address, and without trusted_proxies all visitors behind it share one limit").Weigh(diag.Warning))
	}
	return list
}

// onLoopback reports whether nobody but this machine reaches the listener.
func (s *Server) onLoopback() bool {
	host, _, err := net.SplitHostPort(s.Listen)
	addr, bad := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || bad == nil && addr.IsLoopback())
}

func (s *Storage) decode(n yamlnode.Node, folder string) diag.List {
	var list diag.List
	if s.Node = n; n.Kind() != yamlnode.Null {
		list = n.Decode("storage", s)
	}
	list = append(list, s.files(n.Get("files"), folder)...)
	if url := n.Get("url"); !url.IsZero() {
		return append(list, s.checkURL(n, url)...)
	}
	if lease := n.Get("lease"); !lease.IsZero() {
		list = append(list, lease.Diag("conflict", "leave it out, or set url", `"lease" is for replicas on PostgreSQL, and storage has no "url"`))
	}
	if s.Path == "" {
		list = append(list, n.Get("path").Diag("bad-value", "", `"path" must not be empty`))
	}
	if !filepath.IsAbs(s.Path) {
		s.Path = filepath.Join(folder, s.Path)
	}
	switch info, err := os.Stat(s.Path); {
	case err != nil: // it is made
	case info.IsDir():
		list = append(list, n.Get("path").Diag("bad-file", "name a file in it, such as "+filepath.Join(s.Path, "hookgate.db"), "the database %s is a directory", s.Path))
	case !info.Mode().IsRegular(), info.Size() > 0 && foreign(s.Path):
		list = append(list, n.Get("path").Diag("bad-file", "name another one, hookgate makes it", "the file %s is no SQLite database", s.Path))
	}
	if s.Files == "" {
		s.Files = s.Path + ".files"
	}
	return list
}

// foreign reports whether a file begins as no database of SQLite does
// (sqlite.org/fileformat.html, 1.3). What cannot be read is told of by who opens it.
func foreign(path string) bool {
	f, err := os.Open(path) //nolint:gosec // it is the one that the configuration names
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	return (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) && string(head[:n]) != magic
}

func (s *Storage) files(n yamlnode.Node, folder string) diag.List {
	switch {
	case n.IsZero():
		return nil
	case s.Files == "":
		return diag.List{n.Diag("bad-value", "leave it out for a folder beside the database", `"files" must not be empty`)}
	case !filepath.IsAbs(s.Files):
		s.Files = filepath.Join(folder, s.Files)
	}
	return nil
}

// checkURL looks at the scheme alone: the rest may be a secret, and a driver
// knows more forms of it than one would list here.
func (s *Storage) checkURL(n, url yamlnode.Node) diag.List {
	if path := n.Get("path"); !path.IsZero() {
		return diag.List{path.Diag("conflict", "keep one of them", `storage has both "path" and "url"`)}
	}
	s.Path = ""
	scheme, rest, _ := strings.Cut(s.URL.Reveal(), "://")
	if (scheme != "postgres" && scheme != "postgresql") || rest == "" {
		return diag.List{url.Diag("bad-value", "write postgres://user:password@host:5432/database", `"url" does not name a PostgreSQL database`)}
	}
	// Read as it is, such a password would be taken for parts of the host's and
	// the database's names, and be shown with these.
	place, query, _ := strings.Cut(rest, "?")
	end, more := strings.LastIndexByte(place, '@'), strings.IndexByte(query, '@')
	if end >= 0 && strings.ContainsAny(place[:end], "@/#") || end < 0 && more >= 0 && !strings.Contains(query[:more], "=") {
		return diag.List{url.Diag("bad-value", "write %40 for @, %2F for /, %3F for ?, %23 for #", `the user or the password in "url" has characters that mean something else in a URL`)}
	}
	return nil
}

func (r *Retention) decode(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Null {
		return nil
	}
	return n.Decode("retention", r)
}

func (o *Outbound) decode(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Null {
		return nil
	}
	return n.Decode("outbound", o)
}

// DecodeNode reads networks and addresses.
func (p *Prefixes) DecodeNode(n yamlnode.Node) diag.List {
	var texts []yamlnode.Text
	list := n.Decode("this", &texts)
	for _, text := range texts {
		prefix, ok := parsePrefix(text.Value)
		if !ok {
			list = append(list, text.Diag("bad-value", "", "this must be a network such as 10.1.0.0/16, or an address such as 127.0.0.1"))
			continue
		}
		*p = append(*p, prefix)
	}
	return list
}

// parsePrefix reads a network or one address. Bits beyond the network's
// length are cleared, and IPv4 in IPv6 is read as IPv4.
func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), true
}
