package ui

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/admin/access"
	"hookgate/internal/event"
)

// visitorKey is where a request's visitor is kept.
const visitorKey = "hookgate.visitor"

// pageTimeout is how long a page may take to be made.
const pageTimeout = 30 * time.Second

// cookieName is that of the session. Behind https it has the prefix that has
// browsers refuse one set by another host or over plain http.
func cookieName(c *fiber.Ctx) string {
	if c.Cookies("__Host-hookgate") != "" {
		return "__Host-hookgate"
	}
	return "hookgate"
}

// base is how the server is reached from outside, without a slash at its end: by
// public_url, else as the browser did.
func (u *UI) base(c *fiber.Ctx) string {
	if public := u.cfg.Settings().PublicURL; public != "" {
		return public
	}
	return c.BaseURL()
}

// setSession gives the browser a session's secret, or takes it away where that
// is empty. A session always begins with a new secret: one that somebody else
// made the browser keep is worth nothing.
func (u *UI) setSession(c *fiber.Ctx, secret string, expires time.Time) {
	secure := u.cfg.Secure(c.Context())
	name := "hookgate"
	if secure {
		name = "__Host-hookgate"
	}
	cookie := &fiber.Cookie{Name: name, Value: secret, Path: "/", HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode, Expires: expires}
	if secret == "" {
		cookie.Expires = time.Unix(1, 0)
	}
	c.Cookie(cookie)
}

// session lets in who has a session, and sends everybody else to log in, from
// where he comes back to the same page: the one that he asked for, or on which he
// wanted to do something.
func (u *UI) session(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
	defer cancel()
	secret := c.Cookies(cookieName(c))
	visitor, err := u.cfg.Access.Session(ctx, secret)
	if errors.Is(err, access.ErrDenied) {
		if !looks(c) {
			u.note(c, "warn", languageOf(c).text("You were signed out before this was sent: nothing was done."))
			u.keepTyped(c)
		}
		return c.Redirect(prefix+"/login?to="+url.QueryEscape(here(c)), fiber.StatusSeeOther)
	}
	if err != nil {
		return u.fail(c, err)
	}
	c.Locals(visitorKey, visitor)
	if !looks(c) && !validCSRF(secret, string(c.Context().PostArgs().Peek("csrf"))) {
		return u.refuse(c, fiber.StatusForbidden, "This page is too old to act. Load it again and try once more; nothing was done.")
	}
	c.SetUserContext(ctx)
	return c.Next()
}

// looks reports that a request changes nothing.
func looks(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead
}

// here is the page that is shown, or on which somebody wanted to do something.
func here(c *fiber.Ctx) string {
	if looks(c) {
		return localPath(string(c.Context().RequestURI()))
	}
	return localPath(cameFrom(c))
}

// cameFrom is where on this server a browser says that it comes from; "" where that
// is elsewhere, or not said. It can be any path: see localPath.
func cameFrom(c *fiber.Ctx) string {
	page, err := url.Parse(c.Get(fiber.HeaderReferer))
	if err != nil || !strings.EqualFold(page.Host, string(c.Context().Host())) {
		return ""
	}
	return page.RequestURI()
}

// acting lets only operators through.
func (u *UI) acting(c *fiber.Ctx) error {
	if visitor, ok := c.Locals(visitorKey).(access.Visitor); !ok || !visitor.May() {
		return u.refuse(c, fiber.StatusForbidden, "You may look at everything here, and change nothing. Nothing was done.")
	}
	return c.Next()
}

// acts is the context of what the visitor does, under his name.
func (u *UI) acts(c *fiber.Ctx) context.Context {
	return admin.As(c.UserContext(), u.visitorName(c))
}

func (u *UI) visitorName(c *fiber.Ctx) string {
	visitor, _ := c.Locals(visitorKey).(access.Visitor)
	return visitor.Name
}

// csrfToken is what a form of a session's page carries: random bytes and their
// keyed hash, different each time so that a compressed page does not give it away.
func csrfToken(secret string) string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(append(nonce, csrfMAC(secret, nonce)...))
}

func csrfMAC(secret string, nonce []byte) []byte {
	h := hmac.New(sha256.New, []byte("csrf:"+secret))
	h.Write(nonce)
	return h.Sum(nil)
}

func validCSRF(secret, token string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || secret == "" || len(raw) != 16+sha256.Size {
		return false
	}
	return hmac.Equal(raw[16:], csrfMAC(secret, raw[:16]))
}

// localPath is a path of these pages to go to; anything else becomes the
// overview, so that no link leads away from here. A browser goes up at a "..",
// also at one that is written %2e%2e.
func localPath(to string) string {
	overview := prefix + "/"
	page, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, overview) || strings.ContainsAny(to, "\\\r\n") {
		return overview
	}
	if leads := path.Clean(page.Path) + "/"; !strings.HasPrefix(leads, overview) || strings.HasPrefix(leads, overview+"login/") {
		return overview
	}
	return to
}

// loginData is what the login page shows.
type loginData struct {
	To, User string
	Class    string // of the note: bad or warn
	Note     string

	// Passwords says that there are users with one. SignIn is the address of the
	// button for a provider of that name; "" where there is none.
	Passwords        bool
	SignIn, Provider string
}

func (u *UI) loginPage(c *fiber.Ctx) error {
	return u.showLogin(c, loginData{To: localPath(c.Query("to"))})
}

// logIn checks name and password.
func (u *UI) logIn(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
	defer cancel()
	form, from := c.Context().PostArgs(), u.cfg.Client(c.Context())
	data := loginData{To: localPath(string(form.Peek("to"))), User: string(form.Peek("user")), Class: "bad"}
	secret, expires, err := u.cfg.Access.LogIn(ctx, data.User, string(form.Peek("password")), from)
	l := languageOf(c)
	if locked, ok := errors.AsType[*access.LockedError](err); ok {
		data.Note = l.text("Too many tries. Try again in %d seconds.", int(locked.Wait.Seconds())+1)
		return u.loginAgain(c, fiber.StatusTooManyRequests, data)
	}
	if errors.Is(err, access.ErrDenied) {
		u.cfg.Logger.Warn("a login failed", "remote_ip", from)
		data.Note = l.text("Name or password is wrong.")
		if left := u.cfg.Access.TriesLeft(from); left <= 2 {
			data.Note += " " + l.text("%d more tries, then a pause.", left)
		}
		return u.loginAgain(c, fiber.StatusUnauthorized, data)
	}
	if err != nil {
		return u.fail(c, err)
	}
	u.setSession(c, secret, expires)
	return c.Redirect(data.To, fiber.StatusSeeOther)
}

func (u *UI) loginAgain(c *fiber.Ctx, status int, data loginData) error {
	c.Status(status)
	return u.showLogin(c, data)
}

func (u *UI) showLogin(c *fiber.Ctx, data loginData) error {
	data.Passwords = u.cfg.Access.HasPasswords()
	data.SignIn, data.Provider = u.signInURL(c, data.To)
	return u.render(c, "login", "Sign in", data)
}

// follow logs in by a link that does so once.
func (u *UI) follow(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
	defer cancel()
	secret, expires, err := u.cfg.Access.Follow(ctx, c.Params("once"))
	l := languageOf(c)
	switch {
	case errors.Is(err, event.ErrUsed):
		return u.loginAgain(c, fiber.StatusGone, loginData{To: prefix + "/", Class: "warn", Note: l.text("This link works once, for ten minutes, and no longer. hookgate login on the server makes a new one.")})
	case errors.Is(err, access.ErrDenied):
		return u.loginAgain(c, fiber.StatusNotFound, loginData{To: prefix + "/", Class: "warn", Note: l.text("There is no such link. hookgate login on the server makes one.")})
	case err != nil:
		return u.fail(c, err)
	}
	u.setSession(c, secret, expires)
	return c.Redirect(prefix+"/", fiber.StatusSeeOther)
}

func (u *UI) logOut(c *fiber.Ctx) error {
	if err := u.cfg.Access.End(c.Cookies(cookieName(c))); err != nil {
		return u.fail(c, err)
	}
	u.signedOut(c)
	return c.Redirect(prefix+"/login", fiber.StatusSeeOther)
}

// logOutEverywhere ends all sessions of the visitor.
func (u *UI) logOutEverywhere(c *fiber.Ctx) error {
	visitor, _ := c.Locals(visitorKey).(access.Visitor)
	if err := u.cfg.Access.EndAll(visitor.Name); err != nil {
		return u.fail(c, err)
	}
	u.signedOut(c)
	return c.Redirect(prefix+"/login", fiber.StatusSeeOther)
}

// signedOut takes from the browser what is the visitor's.
func (u *UI) signedOut(c *fiber.Ctx) {
	u.setSession(c, "", time.Time{})
	u.forgetTyped(c, "")
}

// refusedPage says why something is not there, or was not done. Back is the page on
// which it was asked for; "" where that is this one.
type refusedPage struct {
	Sentence any
	Back     string
}

// refuse answers with a page that says in one sentence what is the matter.
// It is a text of the pages, or what sentence gives.
func (u *UI) refuse(c *fiber.Ctx, status int, sentence any) error {
	return u.refusal(c, status, "Not possible", sentence)
}

func (u *UI) notFound(c *fiber.Ctx, sentence any) error {
	return u.refusal(c, fiber.StatusNotFound, "Not found", sentence)
}

func (u *UI) refusal(c *fiber.Ctx, status int, title string, sentence any) error {
	if text, ok := sentence.(string); ok {
		sentence = languageOf(c).text(text)
	}
	page := refusedPage{Sentence: sentence}
	if !looks(c) {
		page.Back = here(c)
		u.keepTyped(c)
	}
	c.Status(status)
	return u.render(c, "refused", title, page)
}

// noteCookie carries the result of an act over to the page that follows.
const noteCookie = "hookgate-note"

// done goes to a page and has it say what an act came to.
func (u *UI) done(c *fiber.Ctx, to, class, text string) error {
	u.note(c, class, text)
	if class == "ok" {
		u.forgetTyped(c, c.Path())
	}
	return c.Redirect(localPath(to), fiber.StatusSeeOther)
}

// note has the page that follows say something.
func (u *UI) note(c *fiber.Ctx, class, text string) {
	c.Cookie(&fiber.Cookie{
		Name: noteCookie, Value: base64.RawURLEncoding.EncodeToString([]byte(class + "\n" + text)), Path: prefix + "/", MaxAge: 60,
		HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Secure: u.cfg.Secure(c.Context()),
	})
}

func takeMessage(c *fiber.Ctx) *message {
	raw, err := base64.RawURLEncoding.DecodeString(c.Cookies(noteCookie))
	if err != nil || len(raw) == 0 {
		return nil
	}
	c.Cookie(&fiber.Cookie{Name: noteCookie, Path: prefix + "/", Expires: time.Unix(1, 0)})
	class, text, ok := strings.Cut(string(raw), "\n")
	if !ok || class != "ok" && class != "warn" && class != "bad" {
		return nil
	}
	return &message{Class: class, Text: text}
}
