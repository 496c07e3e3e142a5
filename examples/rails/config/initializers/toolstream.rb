# frozen_string_literal: true

require "toolstream"

# Credentials: the secret is the one that Toolstream has as TOOLSTREAM_JWT_SECRET.
Rails.application.config.x.toolstream = Toolstream::Client.new(
  url: ENV.fetch("TOOLSTREAM_URL", "http://localhost:4400"),
  secret: Rails.application.credentials.toolstream_secret || ENV.fetch("TOOLSTREAM_JWT_SECRET"),
  tenant: ENV.fetch("TOOLSTREAM_TENANT", "dev")
)
