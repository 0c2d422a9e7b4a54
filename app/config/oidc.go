package config

import (
	"cmp"
	"net/netip"
	"net/url"
	"strings"

	"hookgate/app/admin/access"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// OIDC is a provider at which people log in to the pages. Its settings are those of
// access.Provider.
type OIDC struct {
	Issuer       yamlnode.Text   `yaml:"issuer,required" doc:"The provider's issuer URL, as it stands in its /.well-known/openid-configuration." example:"https://accounts.google.com"`
	ClientID     yamlnode.Text   `yaml:"client_id,required" doc:"The client that was made there for hookgate. Its redirect URL is public_url with /ui/login/oidc/callback behind it." example:"hookgate"`
	ClientSecret event.Secret    `yaml:"client_secret,required" doc:"The secret of that client; it comes from the environment." example:"${OIDC_CLIENT_SECRET}"`
	Label        string          `yaml:"label" doc:"What the button is called; the provider's host unless set." example:"Google"`
	Domains      []yamlnode.Text `yaml:"domains,single" doc:"Who has a verified address of one of these domains is let in. It or groups is needed." example:"[agency.example]"`
	Groups       []yamlnode.Text `yaml:"groups,single" doc:"Who is a member of one of these groups is let in." example:"[hookgate-users]"`
	GroupsClaim  string          `yaml:"groups_claim" doc:"The claim that names somebody's groups or roles." default:"groups" example:"roles"`
	Scopes       []yamlnode.Text `yaml:"scopes,single" doc:"Scopes to ask for besides openid, email and profile, where the provider names groups only to who asks for them." example:"[groups]"`
	Operators    []yamlnode.Text `yaml:"operators,single" doc:"The groups and verified addresses who may act; the others who are let in only look. All may act where it is left out." example:"[hookgate-operators, ada@agency.example]"`
}

// Noun is what messages call it.
func (OIDC) Noun() string { return "oidc" }

// KeyHint knows the names that other programs give to the settings.
func (OIDC) KeyHint(key string) string {
	switch key {
	case "issuer_url", "discovery_url", "provider", "url":
		return `did you mean "issuer"?`
	case "redirect_url", "redirect_uri", "callback":
		return "leave it out: it is server.public_url with /ui/login/oidc/callback behind it"
	case "allowed_domains", "email_domains", "hd":
		return `did you mean "domains"?`
	case "allowed_groups":
		return `did you mean "groups"?`
	case "admins", "role":
		return "write operators: [a group, or an address]; the others who are let in are viewers"
	case "name":
		return `did you mean "label"?`
	}
	return ""
}

// provider is nil where o is.
func (o *OIDC) provider() *access.Provider {
	if o == nil {
		return nil
	}
	var unset OIDC
	yamlnode.Defaults(&unset)
	label := o.Label
	if u, err := url.Parse(o.Issuer.Value); label == "" && err == nil {
		label = u.Host
	}
	return &access.Provider{
		Issuer: o.Issuer.Value, ClientID: o.ClientID.Value, ClientSecret: o.ClientSecret, Name: label, Scopes: yamlnode.Values(o.Scopes),
		Domains: yamlnode.Values(o.Domains), Groups: yamlnode.Values(o.Groups), GroupsClaim: cmp.Or(o.GroupsClaim, unset.GroupsClaim), Operators: yamlnode.Values(o.Operators),
	}
}

// check says what is wrong with a provider; o may be nil.
func (o *OIDC) check(n yamlnode.Node) diag.List {
	if o == nil {
		return nil
	}
	var list diag.List
	if issuer := n.Get("issuer"); issuer.Kind() == yamlnode.Scalar && !usableIssuer(o.Issuer.Value) {
		list = append(list, issuer.Diag("bad-url", "such as https://accounts.google.com; http:// only on this machine", `"issuer" must be https:// and a host, without user, ? or #`))
	}
	for _, key := range []string{"client_id", "client_secret", "groups_claim"} {
		if v := n.Get(key); v.Kind() == yamlnode.Scalar && strings.TrimSpace(v.Text().Value) == "" {
			list = append(list, v.Diag("bad-value", "", "%q must not be empty", key))
		}
	}
	none := func(key string) bool {
		return n.Get(key).Kind() == yamlnode.Null || n.Get(key).Kind() == yamlnode.List && len(n.Get(key).Items()) == 0
	}
	if none("domains") && none("groups") {
		list = append(list, n.Diag("missing-key", "write domains: [agency.example], or groups", `"oidc" needs "domains" or "groups": else everybody whom the provider knows would be let in`))
	}
	for _, d := range o.Domains {
		if !strings.Contains(d.Value, ".") || strings.ContainsAny(d.Value, "@*/: ") {
			list = append(list, d.Diag("bad-value", "such as agency.example; each subdomain is named by itself", "%q is no domain of mail addresses", d.Written()))
		}
	}
	return list
}

// usableIssuer reports whether a provider can be asked there (OpenID Connect
// Discovery 1.0, section 2).
func usableIssuer(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}
