# frozen_string_literal: true

# The next token of a page, before the last one ends: GET /apps/:app_id/toolstream_token
class ToolstreamTokensController < ApplicationController
  def show
    app = current_user.apps.find(params[:app_id])
    response.headers["Cache-Control"] = "no-store"
    render json: { token: Rails.configuration.x.toolstream.page_token(app: app.id, user: current_user.id) }
  end
end
