# frozen_string_literal: true

# Runs the tool calls of one response of the model, then goes on with the conversation. The response is stored before
# this is enqueued: the same response again is the same turn, so trying again is always right.
class ToolTurnJob < ApplicationJob
  # The service is away and may have the calls, or a person has not answered yet: the run goes on meanwhile.
  retry_on Toolstream::Unreachable, Toolstream::Unavailable, Toolstream::NotFinished, wait: 15.seconds, attempts: 240

  # One turn of an app at a time: the calls of the next one build on its files. (Solid Queue; other queues have the like.)
  limits_concurrency to: 1, key: ->(message) { message.app_id }

  def perform(message)
    AppBuilder.new(message).continue(message.response)
  end
end
