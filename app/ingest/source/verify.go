package source

import (
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// verify compiles `verify`, and returns what is known of the sender; the zero
// scheme where nothing is.
func (b *builder) verify(n yamlnode.Node) scheme {
	if n.Kind() != yamlnode.Map {
		b.fail(n.Diag("wrong-type", `write verify: { scheme: …, secret: … }`, `"verify" must be a mapping`))
		return scheme{}
	}
	name := n.Get("scheme").Text()
	if i := slices.IndexFunc(schemes, func(s scheme) bool { return s.name == name.Value }); i >= 0 {
		b.vendor(n, schemes[i])
		return schemes[i]
	}
	switch name.Value {
	case "hmac":
		b.hmac(n)
	case "basic":
		b.basic(n)
	case "bearer":
		b.bearer(n)
	case "none":
		b.none(n)
	case "":
		b.fail(n.Diag("missing-key", "it can be "+strings.Join(Schemes(), ", "), `"verify" needs "scheme"`))
	default:
		hint := diag.DidYouMean(name.Value, Schemes())
		if hint == "" {
			hint = "write hmac and its details for a sender that is not listed"
		}
		b.fail(name.Diag("unknown-scheme", hint, "there is no scheme %q", name.Value))
	}
	return scheme{}
}

// secrets takes the secrets and refuses empty ones: they would verify what
// anyone can sign.
func (b *builder) secrets(n yamlnode.Node, keys secretKeys) []yamlnode.Text {
	one, several := n.Get("secret"), n.Get("secrets")
	switch {
	case !one.IsZero() && !several.IsZero():
		b.fail(several.Diag("bad-value", "put all of them under secrets", `"secret" and "secrets" exclude each other`))
		return nil
	case one.IsZero() && several.IsZero():
		b.fail(n.Diag("missing-key", "use the secret that the sender shows, or one made with: openssl rand -hex 24", `"verify" needs "secret"`))
		return nil
	case several.Kind() == yamlnode.List && len(several.Items()) == 0:
		b.fail(several.Diag("empty-value", "", `"secrets" is empty`))
		return nil
	}
	list := keys.Secrets
	if several.IsZero() {
		list = []yamlnode.Text{keys.Secret}
		if one.Kind() != yamlnode.Scalar {
			return nil // Decode has said so
		}
	}
	given := list[:0:0]
	for i, secret := range list {
		if !several.IsZero() && i < len(several.Items()) && several.Items()[i].Kind() != yamlnode.Scalar {
			continue // Decode has said so
		}
		if secret.Value == "" {
			b.fail(secret.Diag("empty-value", "", "the secret is empty: it would verify what anyone can sign"))
			continue
		}
		given = append(given, secret)
	}
	return given
}

// vendor compiles the scheme of a known sender.
func (b *builder) vendor(n yamlnode.Node, s scheme) {
	var keys timedKeys
	noun := "the scheme " + s.name
	if s.sign.Tolerance == 0 { // it signs no timestamp
		b.fail(n.Decode(noun, &keys.vendorKeys)...)
	} else {
		b.fail(n.Decode(noun, &keys)...)
	}
	if given := n.Get("tolerance"); !given.IsZero() && s.sign.Tolerance > 0 {
		s.sign.Tolerance = keys.Tolerance
	}
	secrets := b.secrets(n, keys.secretKeys)
	if s.issuer == "" {
		b.signed(s.sign, secrets, s.decodeKey)
		return
	}
	v := tokenVerifier{header: s.sign.Header, issuer: s.issuer}
	for _, secret := range secrets {
		v.secrets = append(v.secrets, event.NewSecret(secret.Value))
	}
	b.source.hidden = append(b.source.hidden, strings.ToLower(v.header))
	b.source.verify = v
	b.source.signing = &Signing{Kind: kindToken, Header: v.header, Issuer: v.issuer}
}

// signed makes the verifier, once the secrets have been read as keys: as they
// are, or with decodeKey as the base64 of the key, perhaps behind whsec_.
func (b *builder) signed(s Signing, secrets []yamlnode.Text, decodeKey bool) {
	var keys [][]byte
	for _, secret := range secrets {
		key := []byte(secret.Value)
		if decodeKey {
			var err error
			key, err = decodeBase64(strings.TrimPrefix(secret.Value, "whsec_"))
			if err != nil || len(key) == 0 {
				b.fail(secret.Diag("bad-value", "copy it whole: it looks like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "the secret is not base64"))
				continue
			}
		}
		keys = append(keys, key)
	}
	s.Kind, s.DecodeSecret = kindHMAC, decodeKey
	b.source.verify, b.source.signing = newHMAC(s, keys), &s
	b.source.hidden = append(b.source.hidden, strings.ToLower(s.Header))
}

// basic compiles user and password.
func (b *builder) basic(n yamlnode.Node) {
	var keys basicKeys
	b.fail(n.Decode("the scheme basic", &keys)...)
	switch {
	case strings.Contains(keys.User.Value, ":"):
		b.fail(keys.User.Diag("bad-value", "", `"user" cannot hold a colon`))
	case n.Get("user").Kind() == yamlnode.Scalar && keys.User.Value == "":
		b.fail(keys.User.Diag("empty-value", "", `"user" is empty`))
	case n.Get("password").Kind() == yamlnode.Scalar && keys.Password.Value == "":
		b.fail(keys.Password.Diag("empty-value", makeOne, `"password" is empty`))
	}
	b.source.verify = basicVerifier{user: keys.User.Value, password: event.NewSecret(keys.Password.Value)}
}

// bearer compiles a secret that stands in a header.
func (b *builder) bearer(n yamlnode.Node) {
	var keys bearerKeys
	b.fail(n.Decode("the scheme bearer", &keys)...)
	v := bearerVerifier{header: authorization}
	if header := n.Get("header"); !header.IsZero() {
		v.header = b.headerName(keys.Header)
	}
	for _, secret := range b.secrets(n, keys.secretKeys) {
		v.secrets = append(v.secrets, event.NewSecret(secret.Value))
	}
	b.source.hidden = append(b.source.hidden, strings.ToLower(v.header))
	b.source.verify = v
}

// none is the explicit wish to take events from anyone.
func (b *builder) none(n yamlnode.Node) {
	var keys schemeKeys
	b.fail(n.Decode("the scheme none", &keys)...)
	if b.node.Get("token").IsZero() {
		warning := keys.Scheme.Diag("unverified", "set a token, so that the URL is secret", "nothing is verified: anyone who finds the URL can send events")
		warning.Severity = diag.Warning
		b.fail(warning)
	}
}
