package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"hookgate/connectors"
	"hookgate/connectors/oauth"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// oauthYAML is a login by OAuth 2.0 client credentials, as it is written.
type oauthYAML struct {
	TokenURL     event.Secret    `yaml:"token_url,required" doc:"Where access tokens are given." example:"${OAUTH_TOKEN_URL}"`
	ClientID     string          `yaml:"client_id,required" doc:"The client's id." example:"hookgate"`
	ClientSecret event.Secret    `yaml:"client_secret,required" doc:"The client's secret." example:"${OAUTH_SECRET}"`
	Scopes       []yamlnode.Text `yaml:"scopes,single" doc:"What the token is for." example:"[subscriptions]"`
	Audience     string          `yaml:"audience" doc:"Whom the token is for, where the receiver asks for it." example:"https://api.billing.example"`
	InHeader     bool            `yaml:"in_header" doc:"Sends id and secret by HTTP Basic instead of in the form." default:"false"`
}

// Noun names the mapping in messages.
func (oauthYAML) Noun() string { return "oauth2" }

func (s *settings) readOAuth(n yamlnode.Node, y *oauthYAML, deps connectors.Deps) diag.List {
	if n.Kind() != yamlnode.Map || n.Get("token_url").Kind() != yamlnode.Scalar {
		return nil
	}
	at, list := connectors.CheckURL(n.Get("token_url"), y.TokenURL, deps.Egress)
	if at == nil {
		return list
	}
	s.oauth = &oauth.Config{TokenURL: at.String(), ClientID: y.ClientID, ClientSecret: y.ClientSecret.Reveal(), InHeader: y.InHeader}
	for _, scope := range y.Scopes {
		s.oauth.Scopes = append(s.oauth.Scopes, scope.Value)
	}
	if y.Audience != "" {
		s.oauth.Params = url.Values{"audience": {y.Audience}}
	}
	return list
}

// exchange makes the request, with an access token where the login needs one.
// A token that the receiver refuses is renewed, once.
func (w *connector) exchange(ctx context.Context, id string, msg *message) (*http.Response, *connectors.Redactor, error) {
	if w.tokens == nil {
		resp, err := w.transport.RoundTrip(w.request(ctx, id, msg))
		return resp, w.secrets, err
	}
	for renewed := false; ; renewed = true {
		token, err := w.tokens.Token(ctx)
		if err != nil {
			return nil, nil, err
		}
		req := w.request(ctx, id, msg)
		req.Header["Authorization"] = []string{"Bearer " + token.Value}
		resp, err := w.transport.RoundTrip(req)
		if err != nil {
			return nil, w.secrets, err
		}
		if resp.StatusCode != http.StatusUnauthorized || renewed {
			return resp, connectors.NewRedactor(append(slices.Clone(w.settings.secrets()), token.Value)...), nil
		}
		_ = resp.Body.Close()
		w.tokens.Drop(token)
	}
}

// exchangeError is the error for a request that got no answer, or for an
// access token that was not to be had.
func (w *connector) exchangeError(parent, ctx context.Context, err error) error {
	refused, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return connectors.AttemptError(parent, ctx, err, w.deps.Timeout)
	}
	failure := errors.New(connectors.Excerpt(w.secrets.Text(refused.Error())))
	if refused.Permanent() {
		return connectors.Permanent(failure)
	}
	return connectors.RetryAfter(failure, connectors.ParseRetryAfter(refused.Header.Get("Retry-After"), w.deps.Now()))
}
