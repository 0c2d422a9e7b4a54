package source

import (
	"time"
)

// scheme is how one well-known sender signs its requests and where it keeps
// the type and the id of an event.
type scheme struct {
	name      string
	sign      Signing
	decodeKey bool   // the secret is base64, perhaps after whsec_
	eventType string // an expression; "" is none
	ids       IDs
	jsonField string // see Source.JSONField
	issuer    string // of the JSON Web Token that is the signature; "" where it is none
}

const fiveMinutes = 5 * time.Minute

// schemes are the senders whose way of signing is known. The pages named are
// where each is described.
var schemes = []scheme{
	{ // github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
		name: "standard-webhooks",
		sign: Signing{
			Header: "webhook-signature", Encoding: "base64", Prefix: "v1,", Separator: " ",
			Signed: "{id}.{timestamp}.{body}", IDHeader: "webhook-id", TimestampHeader: "webhook-timestamp", Tolerance: fiveMinutes,
			Alias: "svix",
		},
		decodeKey: true, eventType: "data.type", ids: IDs{Expression: `headers["webhook-id"] ?? headers["svix-id"]`},
	},
	{ // docs.github.com, "Validating webhook deliveries"
		name:      "github",
		sign:      Signing{Header: "X-Hub-Signature-256", Prefix: "sha256=", Signed: "{body}"},
		eventType: `headers["x-github-event"]`, ids: IDs{Expression: `headers["x-github-delivery"]`}, jsonField: "payload",
	},
	{ // docs.stripe.com/webhooks, "Verify webhook signatures manually"
		name: "stripe",
		sign: Signing{
			Header: "Stripe-Signature", Separator: ",", SignatureKey: "v1", TimestampKey: "t",
			Signed: "{timestamp}.{body}", Tolerance: fiveMinutes,
		},
		eventType: "data.type", ids: IDs{Expression: "data.id"},
	},
	{ // shopify.dev, "Deliver webhooks through HTTPS"
		name:      "shopify",
		sign:      Signing{Header: "X-Shopify-Hmac-Sha256", Encoding: "base64", Signed: "{body}"},
		eventType: `headers["x-shopify-topic"]`, ids: IDs{Expression: `headers["x-shopify-webhook-id"]`},
	},
	{ // api.slack.com/authentication/verifying-requests-from-slack
		name: "slack",
		sign: Signing{
			Header: "X-Slack-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
			TimestampHeader: "X-Slack-Request-Timestamp", Tolerance: fiveMinutes,
		},
		// The Events API wraps the event that is meant: its own type is
		// always event_callback.
		eventType: "data.event?.type ?? data.type", ids: IDs{Expression: "data.event_id"},
	},
	{ // typeform.com/developers/webhooks/secure-your-webhooks
		name:      "typeform",
		sign:      Signing{Header: "Typeform-Signature", Encoding: "base64", Prefix: "sha256=", Signed: "{body}"},
		eventType: "data.event_type", ids: IDs{Expression: "data.event_id"},
	},
	{ // tally.so/help/webhooks
		name:      "tally",
		sign:      Signing{Header: "Tally-Signature", Encoding: "base64", Signed: "{body}"},
		eventType: "data.eventType", ids: IDs{Expression: "data.eventId"},
	},
	{ // developers.webflow.com, "Working with webhooks"
		name: "webflow",
		sign: Signing{
			Header: "x-webflow-signature", Signed: "{timestamp}:{body}",
			TimestampHeader: "x-webflow-timestamp", TimestampUnit: "ms", Tolerance: fiveMinutes,
		},
		eventType: "data.triggerType",
	},
	{ // wpforms.com/developers, the Webhooks add-on: v=, where others write v1=
		name: "wpforms",
		sign: Signing{
			Header: "X-WPForms-Webhook-Signature", Separator: ",", SignatureKey: "v", TimestampKey: "t",
			Signed: "{timestamp}.{body}", Tolerance: fiveMinutes,
		},
	},
	{ // help.formspree.io, "Webhooks"
		name: "formspree",
		sign: Signing{
			Header: "Formspree-Signature", Separator: ",", SignatureKey: "v1", TimestampKey: "t",
			Signed: "{timestamp}.{body}", Tolerance: fiveMinutes,
		},
	},
	{ // docs.netlify.com, "Deploy notifications", payload signature: a token with the body's hash
		name: "netlify", issuer: "netlify",
		sign: Signing{Header: "X-Webhook-Signature"},
		// The id of a submission, or of a deploy: each of its states has the same.
		ids: IDs{Expression: "data.id", Subject: true},
	},
	{ // developers.hubspot.com, "Validating requests", v3
		name: "hubspot",
		sign: Signing{
			Header: "X-HubSpot-Signature-v3", Encoding: "base64", Signed: "{method}{url}{body}{timestamp}", DecodedURL: true,
			TimestampHeader: "X-HubSpot-Request-Timestamp", TimestampUnit: "ms", Tolerance: fiveMinutes,
		},
	},
}

// otherSchemes need no table entry: what they do is spelled out in config.yaml.
var otherSchemes = []string{"hmac", "basic", "bearer", "none"}

// Schemes are the names that `verify: { scheme: … }` takes.
func Schemes() []string {
	names := make([]string, 0, len(schemes)+len(otherSchemes))
	for _, s := range schemes {
		names = append(names, s.name)
	}
	return append(names, otherSchemes...)
}
