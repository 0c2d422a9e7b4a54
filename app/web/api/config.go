package api

import (
	"context"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Config is the configuration file, and the versions of it that were in force.
type Config interface {
	ConfigFile(ctx context.Context) (admin.ConfigFile, error)
	ConfigChange(ctx context.Context) (admin.ConfigChange, error)
	ConfigVersions(ctx context.Context) (admin.Page[admin.ConfigVersion], error)
	ConfigVersion(ctx context.Context, id int64) (admin.ConfigVersionDetail, error)
}

func (h *handler) configRoutes(r fiber.Router) {
	r.Get("/config", h.answer(h.configFile))
	r.Get("/config/change", h.answer(h.configChange))
	r.Get("/config/versions", h.answer(h.configVersions))
	r.Get("/config/versions/:id", h.answer(h.configVersion))
}

// configFile answers GET /config.
func (h *handler) configFile(c *fiber.Ctx) error {
	return respond(c, changeTimeout, h.service.ConfigFile)
}

// configChange answers GET /config/change.
func (h *handler) configChange(c *fiber.Ctx) error {
	return respond(c, changeTimeout, h.service.ConfigChange)
}

// configVersions answers GET /config/versions.
func (h *handler) configVersions(c *fiber.Ctx) error {
	return respond(c, readTimeout, h.service.ConfigVersions)
}

// configVersion answers GET /config/versions/:id.
func (h *handler) configVersion(c *fiber.Ctx) error {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return badRequest("%q is not the number of a version", c.Params("id"))
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.ConfigVersionDetail, error) {
		return h.service.ConfigVersion(ctx, id)
	})
}
