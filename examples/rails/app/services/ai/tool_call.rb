# frozen_string_literal: true

require "json"

module Ai
  # One call of a model, whichever way its API writes it; +problem+ says why its arguments could not be read.
  ToolCall = Struct.new(:id, :name, :arguments, :problem, keyword_init: true) do
    def self.from(call)
      function = call["function"] || {}
      given = function["arguments"] || call["input"] || call["arguments"] || {}
      name = function["name"] || call["name"]
      return new(id: call["id"], name: name, arguments: given) unless given.is_a?(String)

      begin
        new(id: call["id"], name: name, arguments: given.empty? ? {} : JSON.parse(given))
      rescue JSON::ParserError => error
        new(id: call["id"], name: name, arguments: {}, problem: error.message)
      end
    end
  end

  # Answers of calls as the messages that a model's API takes, the same as Toolstream's +/results+ gives.
  module ToolMessages
    def self.for(calls, answers, format)
      pairs = calls.zip(answers)
      case format.to_s
      when "openai"
        pairs.map { |call, answer| { "role" => "tool", "tool_call_id" => call.id, "content" => content(answer) } }
      when "openai-responses"
        pairs.map { |call, answer| { "type" => "function_call_output", "call_id" => call.id, "output" => content(answer) } }
      when "anthropic"
        [{ "role" => "user", "content" => pairs.map { |call, answer| anthropic(call, answer) } }]
      else
        raise ArgumentError, "no such format: #{format}; use openai, openai-responses or anthropic"
      end
    end

    def self.anthropic(call, answer)
      block = { "type" => "tool_result", "tool_use_id" => call.id, "content" => content(answer) }
      answer.key?("error") ? block.merge("is_error" => true) : block
    end

    def self.content(answer)
      return JSON.generate("error" => answer["error"]) if answer.key?("error")

      answer["result"].is_a?(String) ? answer["result"] : JSON.generate(answer["result"])
    end
    private_class_method :anthropic, :content
  end
end
