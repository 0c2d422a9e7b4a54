package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/body"
	"hookgate/app/event"
	"hookgate/app/intake"
	"hookgate/app/source"
	"hookgate/app/web/api"
)

// busyRetry is how long to wait when the server has too much to do.
const busyRetry = 5 * time.Second

// in takes a sender's request: /in/{source}/{token}, or /in/{source} where the
// source verifies a signature. This is the hot path.
func (s *Server) in(c *fiber.Ctx) error {
	settings := s.settings.Load()
	plan := s.cfg.Plan()
	ctx := c.Context()
	src := plan.Sources[c.Params("source")]
	if src == nil {
		// The same answer as for a wrong token: which sources there are is
		// not for strangers.
		s.refused("", "wrong_token", slog.String("remote_ip", settings.client(ctx).String()))
		return forbidden(ctx)
	}
	r := s.newRequest(c, settings)
	r.Token = c.Params("token")
	if refused, err := s.authenticate(ctx, src, r); refused {
		return err
	}
	r.Headers = keptHeaders(&ctx.Request.Header, func(name string) bool { return !src.Secret(name) })
	ack, err := s.cfg.Intake.Event(src, plan, r)
	if err != nil {
		return s.notTaken(ctx, src.Name, ack, err)
	}
	if ack.Challenge != "" {
		ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
		ctx.Response.SetBodyString(ack.Challenge)
		return nil
	}
	accepted(ctx, ack)
	return nil
}

// authenticate answers a request that is not let in, and says whether it did.
// A wrong token comes first: only who has the right one may learn which
// methods the source takes.
func (s *Server) authenticate(ctx *fasthttp.RequestCtx, src *source.Source, r *intake.Request) (refused bool, err error) {
	authErr := src.Authenticate(&r.Request)
	from := slog.String("remote_ip", r.RemoteIP)
	switch {
	case errors.Is(authErr, source.ErrBadToken):
		s.refused(src.Name, "wrong_token", from)
		return true, forbidden(ctx)
	case !src.Allows(r.Method):
		s.refused(src.Name, "method_not_allowed", from, slog.String("method", r.Method))
		ctx.Response.Header.Set(fasthttp.HeaderAllow, strings.Join(src.Methods(), ", "))
		return true, api.WriteProblem(ctx, api.Problem{Status: http.StatusMethodNotAllowed})
	case authErr != nil:
		s.refused(src.Name, "bad_signature", from, slog.String("reason", authErr.Error()))
		return true, api.WriteProblem(ctx, api.Problem{
			Status: http.StatusUnauthorized, Detail: "the request could not be verified",
		})
	default:
		return false, nil
	}
}

// forbidden is the answer to a wrong token and to an unknown source.
func forbidden(ctx *fasthttp.RequestCtx) error {
	return api.WriteProblem(ctx, api.Problem{
		Status: http.StatusForbidden, Detail: "this address is not known: check it against the one you were given",
	})
}

// notTaken answers for an event that the intake did not take. Its id is told
// where the request was kept nevertheless.
func (s *Server) notTaken(ctx *fasthttp.RequestCtx, name string, ack intake.Ack, err error) error {
	p, known := api.ProblemOf(err)
	if !known {
		s.cfg.Logger.Error("an event could not be taken", "source", name, "error", err)
	}
	if ack.ID != 0 {
		p.ID = ack.ID.String()
	} else {
		s.refused(name, refusal(err))
	}
	return api.WriteProblem(ctx, p)
}

// refusal is what the metrics call an error of the intake after which nothing
// was kept.
func refusal(err error) string {
	if _, busy := errors.AsType[*intake.BusyError](err); busy {
		return "busy"
	}
	if _, unreadable := errors.AsType[*body.Error](err); unreadable {
		return "unreadable"
	}
	if errors.Is(err, event.ErrUnavailable) {
		return "unavailable"
	}
	return "error"
}

// accepted answers 202 with the event's id.
func accepted(ctx *fasthttp.RequestCtx, ack intake.Ack) {
	text := make([]byte, 0, 48)
	text = append(text, `{"id":"`...)
	text = append(text, ack.ID.String()...)
	text = append(text, '"', '}', '\n')
	ctx.Response.Header.SetContentType(fiber.MIMEApplicationJSON)
	ctx.Response.SetStatusCode(http.StatusAccepted)
	ctx.Response.SetBodyRaw(text)
}
