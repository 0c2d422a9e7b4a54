package client

import (
	"context"
	"net/http"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// LoginLink makes a link that logs in once.
func (c *Client) LoginLink(ctx context.Context, r admin.LoginRequest) (link admin.LoginLink, err error) {
	return link, c.post(ctx, "/login-links", r, &link)
}

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, r admin.TokenRequest) (token admin.Token, err error) {
	return token, c.post(ctx, "/tokens", r, &token)
}

// Tokens lists the tokens.
func (c *Client) Tokens(ctx context.Context) (page admin.Page[admin.Token], err error) {
	return page, c.get(ctx, "/tokens", nil, &page)
}

// RevokeToken ends a token.
func (c *Client) RevokeToken(ctx context.Context, id event.AuditID) (token admin.Token, err error) {
	return token, c.call(ctx, http.MethodDelete, "/tokens/"+id.String(), nil, nil, &token)
}
