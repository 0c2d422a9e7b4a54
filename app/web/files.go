package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// download answers a signed link: GET /files/{id}?expires=…&sig=….
func (s *Server) download(c *fiber.Ctx) error {
	if s.cfg.Download == nil {
		return s.notFound(c)
	}
	expires, err := strconv.ParseInt(c.Query("expires"), 10, 64)
	if err != nil {
		expires = 0
	}
	f, content, err := s.cfg.Download(c.UserContext(), c.Params("id"), time.Unix(expires, 0), c.Query("sig"))
	switch {
	case errors.Is(err, event.ErrExpired):
		return linkFault(c, http.StatusGone, "This link has expired. Please ask whoever sent it to you for a new one.")
	case errors.Is(err, event.ErrNotFound):
		s.refusals.warn(slog.String("remote_ip", s.settings.Load().client(c.Context()).String()), slog.String("result", "wrong_link"))
		return linkFault(c, http.StatusNotFound, "There is no such file: the link is not complete, or the file has been removed.")
	case err != nil:
		s.cfg.Logger.Error("a file could not be opened", "file", c.Params("id"), "error", err)
		return linkFault(c, http.StatusServiceUnavailable, "The file cannot be read right now. Please try again later.")
	}
	return api.SendFile(c, f, content)
}

// linkFault says to a person why a link does not open.
func linkFault(c *fiber.Ctx, status int, text string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.Status(status).SendString(text + "\n")
}
