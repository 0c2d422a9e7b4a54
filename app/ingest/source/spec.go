package source

import (
	"time"

	"hookgate/internal/yamlnode"
)

// schemeKeys is the key that selects a scheme of `verify`.
type schemeKeys struct {
	Scheme yamlnode.Text `yaml:"scheme,required" doc:"Which of them it is."`
}

// secretKeys are how secrets are given: one, or several while one takes the
// place of another.
type secretKeys struct {
	Secret  yamlnode.Text   `yaml:"secret" doc:"The secret that the sender shows." example:"${SHOP_SECRET}" type:"secret"`
	Secrets []yamlnode.Text `yaml:"secrets" doc:"Several secrets, while one takes the place of another." example:"[\"${NEW_SECRET}\", \"${OLD_SECRET}\"]" type:"secret"`
}

// vendorKeys are those of a known sender's scheme.
type vendorKeys struct {
	schemeKeys
	secretKeys
}

// timedKeys are those of a known sender that signs a timestamp.
type timedKeys struct {
	vendorKeys
	Tolerance time.Duration `yaml:"tolerance" doc:"How far the signed timestamp may be off." default:"5m" above:"0" max:"24h" hint:"5m is what senders recommend"`
}

type basicKeys struct {
	schemeKeys
	User     yamlnode.Text `yaml:"user,required" doc:"The name that the sender logs in with." example:"shop"`
	Password yamlnode.Text `yaml:"password,required" doc:"The password that the sender logs in with." example:"${SHOP_PASSWORD}" type:"secret"`
}

type bearerKeys struct {
	schemeKeys
	secretKeys
	Header yamlnode.Text `yaml:"header" doc:"The header that holds the secret." default:"Authorization" example:"X-Api-Key"`
}

// Describe tells what a source of config.yaml can hold, by its type.
func Describe() yamlnode.Spec {
	all := yamlnode.Spec{Type: yamlnode.ObjectType, By: "type"}
	for _, kind := range Kinds() {
		one := kind.describe()
		one.Name, one.Doc = kind.Name, kind.Doc
		all.OneOf = append(all.OneOf, one)
	}
	return all
}

// DescribeSender tells what is said of any sender of webhooks.
func DescribeSender() yamlnode.Spec { return describeWebhook() }

// describeWebhook adds to the keys of a webhook source those of `verify` and `challenge`.
func describeWebhook() yamlnode.Spec {
	s := yamlnode.Describe[webhookKeys]()
	verify := s.Field("verify")
	verify.Type, verify.By = yamlnode.ObjectType, "scheme"
	add := func(name, doc string, one yamlnode.Spec) {
		one.Name, one.Doc = name, doc
		verify.OneOf = append(verify.OneOf, one)
	}
	for _, v := range schemes {
		one := yamlnode.Describe[vendorKeys]()
		if v.sign.Tolerance > 0 {
			one = yamlnode.Describe[timedKeys]()
		}
		add(v.name, "signed as "+v.name+" does", one)
	}
	add("hmac", "any other sender that signs with HMAC", yamlnode.Describe[hmacKeys]())
	add("basic", "user and password", yamlnode.Describe[basicKeys]())
	add("bearer", "a secret in a header", yamlnode.Describe[bearerKeys]())
	add("none", "nothing is verified", yamlnode.Describe[schemeKeys]())
	challenge := s.Field("challenge")
	challenge.Type, challenge.By, challenge.OneOf = yamlnode.ObjectType, "scheme", describeHandshakes()
	return s
}
