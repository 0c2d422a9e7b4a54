package web

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"hookgate/forms"
)

// formOrHook tells the forms that visitors post from those that builders send.
func (s *Server) formOrHook(c *fiber.Ctx) error {
	if form := s.cfg.Plan().Forms[c.Params("form")]; form != nil && form.Webhook() {
		return s.formHook(c)
	}
	return s.form(c)
}

// formHook takes what a form builder sends: /f/{form}/{token}, or /f/{form}
// where it signs. There is no CORS, no page and no redirect: no visitor is here.
func (s *Server) formHook(c *fiber.Ctx) error {
	settings := s.settings.Load()
	plan := s.cfg.Plan()
	ctx := c.Context()
	form, src := plan.Forms[c.Params("form")], plan.Senders[c.Params("form")]
	if form == nil || src == nil {
		return s.unknown(ctx, settings)
	}
	r, err := s.admit(c, settings, src)
	if r == nil {
		return err
	}
	ack, err := s.cfg.Intake.FormHook(form, src, plan, r)
	if err != nil {
		return s.notTaken(ctx, form.Name, ack, err)
	}
	// 200, because there are builders that take nothing else for a success.
	text, err := json.Marshal(forms.Accepted{OK: true, ID: ack.ID})
	if err != nil {
		return fmt.Errorf("write the answer to a form builder: %w", err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(http.StatusOK).Send(text)
}
