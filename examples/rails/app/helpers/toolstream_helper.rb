# frozen_string_literal: true

require "securerandom"
require "uri"

# What a page needs to watch the tools of one app: an address, a token for this app alone, and where the next one comes from.
module ToolstreamHelper
  def toolstream_metas(app, user:)
    token = toolstream.page_token(app: app.id, user: user.id)
    {
      "toolstream-url" => toolstream.url,
      "toolstream-token" => token,
      "toolstream-token-path" => "/apps/#{app.id}/toolstream_token",
      "action-cable-url" => toolstream_cable_url(token)
    }
  end

  private

  # For the stock consumer: the token is in the address, and +page+ tells the pages of one user apart, so that a
  # reconnect goes on where this page was.
  def toolstream_cable_url(token)
    "#{toolstream.url.sub(/\Ahttp/, 'ws')}/cable?#{URI.encode_www_form(jid: token, page: SecureRandom.uuid)}"
  end

  def toolstream = Rails.application.config.x.toolstream
end
