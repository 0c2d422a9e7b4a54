package web

import "github.com/gofiber/fiber/v2"

// healthz says that the process answers, and nothing of how it is.
func healthz(c *fiber.Ctx) error {
	return c.SendString("ok\n")
}

// readyz says whether to send requests here. Why not is for the operator's
// eyes: /api/v1/status and the log tell.
func (s *Server) readyz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.cfg.Ready() != nil {
		return c.Status(fiber.StatusServiceUnavailable).SendString("not ready\n")
	}
	return c.SendString("ok\n")
}
