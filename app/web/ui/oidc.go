package ui

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin/access"
)

// signInPath is where a login at a provider begins, and callbackPath where the
// provider sends the browser back to: the redirect URL that its client names.
const (
	signInPath   = prefix + "/login/oidc"
	callbackPath = signInPath + "/callback"
)

// attemptCookie is where the browser keeps a login at a provider that has begun. It
// is not strict: the provider's page is another site's.
func (u *UI) attemptCookie(c *fiber.Ctx, value string) *fiber.Cookie {
	secure := u.cfg.Secure(c.Context())
	name := "hookgate-signin"
	if secure {
		name = "__Host-hookgate-signin"
	}
	cookie := &fiber.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(access.AttemptLasts.Seconds()), HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode}
	if value == "" {
		cookie.MaxAge, cookie.Expires = 0, time.Unix(1, 0)
	}
	return cookie
}

// signInURL is the address of the button, on the host to which the provider sends
// the browser back; "" where there is no provider.
func (u *UI) signInURL(c *fiber.Ctx, to string) (address, provider string) {
	p := u.cfg.Access.Provider()
	if p == nil {
		return "", ""
	}
	return u.base(c) + signInPath + "?to=" + url.QueryEscape(to), p.Name
}

// signIn sends the browser to the provider.
func (u *UI) signIn(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
	defer cancel()
	address, attempt, err := u.cfg.Access.SignIn(ctx, u.base(c)+callbackPath, localPath(c.Query("to")))
	if err != nil {
		return u.signInFailed(c, attempt.To, err)
	}
	text, err := json.Marshal(attempt)
	if err != nil {
		return err
	}
	c.Cookie(u.attemptCookie(c, base64.RawURLEncoding.EncodeToString(text)))
	return c.Redirect(address, fiber.StatusSeeOther)
}

// signedIn takes the browser back from the provider.
func (u *UI) signedIn(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
	defer cancel()
	var attempt access.Attempt
	if text, err := base64.RawURLEncoding.DecodeString(c.Cookies(u.attemptCookie(c, "").Name)); err == nil {
		_ = json.Unmarshal(text, &attempt) // none: it is refused as one
	}
	c.Cookie(u.attemptCookie(c, ""))
	to := localPath(attempt.To)
	answer := access.Answer{State: c.Query("state"), Code: c.Query("code"), Error: c.Query("error")}
	secret, expires, err := u.cfg.Access.SignedIn(ctx, attempt, answer, u.base(c)+callbackPath, u.cfg.Client(c.Context()))
	if err != nil {
		return u.signInFailed(c, to, err)
	}
	u.setSession(c, secret, expires)
	return c.Redirect(to, fiber.StatusSeeOther)
}

// signInFailed is the login page with the reason.
func (u *UI) signInFailed(c *fiber.Ctx, to string, err error) error {
	l := languageOf(c)
	data := loginData{To: localPath(to), Class: "bad"}
	if locked, ok := errors.AsType[*access.LockedError](err); ok {
		data.Note = l.text("Too many tries. Try again in %d seconds.", int(locked.Wait.Seconds())+1)
		return u.loginAgain(c, fiber.StatusTooManyRequests, data)
	}
	if stranger, ok := errors.AsType[*access.NotAdmittedError](err); ok {
		data.Note = l.text("%s is signed in there, and not let in here. Who runs this server can change that.", stranger.Name)
		return u.loginAgain(c, fiber.StatusForbidden, data)
	}
	switch {
	case errors.Is(err, access.ErrNoProvider):
		return u.notFound(c, "There is no such page.")
	case errors.Is(err, access.ErrDenied):
		data.Class, data.Note = "warn", l.text("This sign-in was ended, is older than ten minutes, or began in another browser. Try once more.")
		return u.loginAgain(c, fiber.StatusBadRequest, data)
	case errors.Is(err, access.ErrProvider):
		data.Note = l.text("Where you sign in does not answer as it should just now. The log of the server says why.")
		return u.loginAgain(c, fiber.StatusServiceUnavailable, data)
	}
	return u.fail(c, err)
}
