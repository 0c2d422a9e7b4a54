package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/web/api"
	"hookgate/internal/body"
	"hookgate/internal/event"
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
		return s.unknown(ctx, settings)
	}
	ack, err := s.take(c, settings, plan, src)
	if ack != nil {
		accepted(ctx, *ack)
	}
	return err
}

// take admits what a sender posts and has it accepted; nil: it is answered.
func (s *Server) take(c *fiber.Ctx, settings *Settings, plan *ingest.Plan, src *source.Source) (*ingest.Ack, error) {
	ctx := c.Context()
	r, err := s.admit(c, settings, plan, src)
	if r == nil {
		return nil, err
	}
	leave, err := s.understand(ctx, r)
	if err != nil {
		return nil, s.unread(ctx, src.Name, err, 0)
	}
	defer leave()
	ack, err := s.cfg.Intake.Accept(plan, r)
	if err != nil {
		return nil, s.notTaken(ctx, src.Name, ack, err)
	}
	if ack.Handshake != nil {
		s.handshake(ctx, src, r, ack.Handshake)
		return nil, nil
	}
	return &ack, nil
}

// inputOf is the body of a request.
func inputOf(r *ingest.Request) body.Input {
	return body.Input{ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body}
}

// unknown answers a request to a source or form that there is not, as one with
// a wrong token: which ones there are is not for strangers.
func (s *Server) unknown(ctx *fasthttp.RequestCtx, settings *Settings) error {
	s.refused("", "wrong_token", slog.String("remote_ip", settings.client(ctx).String()))
	return forbidden(ctx)
}

// admit is the request of a sender that is let in, with its body and without
// the headers that are secret; or nil, and then it is answered. What the header
// tells comes before the body: only a signature of the body waits for it.
func (s *Server) admit(c *fiber.Ctx, settings *Settings, plan *ingest.Plan, src *source.Source) (*ingest.Request, error) {
	ctx := c.Context()
	r := s.newRequest(c, settings)
	r.Source = src.Name
	r.Token = c.Params("token")
	if !src.HasToken(r.Token) {
		s.refused(src.Name, "wrong_token", slog.String("remote_ip", r.RemoteIP))
		return nil, forbidden(ctx)
	}
	answer, err := src.Handshake(&r.Request)
	if err != nil {
		s.refused(src.Name, "wrong_token", slog.String("remote_ip", r.RemoteIP), slog.String("reason", err.Error()))
		return nil, forbidden(ctx)
	}
	if answer != nil {
		s.handshake(ctx, src, r, answer)
		return nil, nil
	}
	// Only who has the token may learn which methods the source takes.
	if !src.Allows(r.Method) {
		s.refused(src.Name, "method_not_allowed", slog.String("remote_ip", r.RemoteIP), slog.String("method", r.Method))
		ctx.Response.Header.Set(fasthttp.HeaderAllow, strings.Join(src.Methods(), ", "))
		return nil, api.WriteProblem(ctx, api.Problem{Status: http.StatusMethodNotAllowed})
	}
	if !src.SignsBody() {
		if err := src.Authenticate(&r.Request); err != nil {
			return nil, s.unverified(ctx, src, r, err)
		}
	}
	if r.Body, err = s.readBody(ctx, settings.MaxBody); err != nil {
		return nil, s.unread(ctx, src.Name, err, settings.MaxBody)
	}
	if src.SignsBody() {
		if answer := src.Ping(&r.Request); answer != nil {
			s.handshake(ctx, src, r, answer)
			return nil, nil
		}
		if err := src.Authenticate(&r.Request); err != nil {
			return nil, s.unverified(ctx, src, r, err)
		}
	}
	r.Headers = keptHeaders(&ctx.Request.Header, plan.KeepsHeader(src.Name))
	return r, nil
}

// handshake answers a sender that only tries the address.
func (s *Server) handshake(ctx *fasthttp.RequestCtx, src *source.Source, r *ingest.Request, answer *source.Answer) {
	s.cfg.Refused(src.Name, "handshake")
	s.refusals.log(slog.LevelInfo, "a sender tried an address, and was answered",
		slog.String("source", src.Name), slog.String("method", r.Method), slog.String("remote_ip", r.RemoteIP))
	ctx.Response.Header.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	if answer.Header != "" {
		ctx.Response.Header.Set(answer.Header, answer.Value)
	}
	if answer.ContentType != "" {
		ctx.Response.Header.SetContentType(answer.ContentType)
	}
	ctx.Response.SetBodyString(answer.Body)
}

// unverified answers a request that does not prove its sender.
func (s *Server) unverified(ctx *fasthttp.RequestCtx, src *source.Source, r *ingest.Request, err error) error {
	s.refused(src.Name, "bad_signature", slog.String("remote_ip", r.RemoteIP), slog.String("reason", err.Error()))
	if challenge := src.AuthChallenge(); challenge != "" {
		ctx.Response.Header.Set(fasthttp.HeaderWWWAuthenticate, challenge)
	}
	return api.WriteProblem(ctx, api.Problem{
		Status: http.StatusUnauthorized, Detail: "the request could not be verified",
	})
}

// forbidden is the answer to a wrong token and to an unknown source.
func forbidden(ctx *fasthttp.RequestCtx) error {
	return api.WriteProblem(ctx, api.Problem{
		Status: http.StatusForbidden, Detail: "this address is not known: check it against the one you were given",
	})
}

// notTaken answers for an event that the intake did not take. Its id is told
// where the request was kept nevertheless.
func (s *Server) notTaken(ctx *fasthttp.RequestCtx, name string, ack ingest.Ack, err error) error {
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
	if _, quota := errors.AsType[*ingest.QuotaError](err); quota {
		return "quota"
	}
	if _, busy := errors.AsType[*ingest.BusyError](err); busy {
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
func accepted(ctx *fasthttp.RequestCtx, ack ingest.Ack) {
	text := make([]byte, 0, 48)
	text = append(text, `{"id":"`...)
	text = append(text, ack.ID.String()...)
	text = append(text, '"', '}', '\n')
	ctx.Response.Header.SetContentType(fiber.MIMEApplicationJSON)
	ctx.Response.SetStatusCode(http.StatusAccepted)
	ctx.Response.SetBodyRaw(text)
}
