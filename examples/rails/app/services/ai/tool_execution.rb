# frozen_string_literal: true

require_relative "local_tools"
require_relative "tool_call"
require_relative "workspace_mirror"

module Ai
  # Runs the tool calls of one turn and gives their results as messages for the model: what the application builder had as
  # +execute_and_format_tool_results+. Toolstream runs them; the application itself does where the flag is off, or where
  # Toolstream is away and has certainly not been given them.
  #
  # Called again with the same turn, after a crash or by a job that is tried again, it goes on with what was begun: no call
  # that may have run is run a second time. Toolstream::Unreachable, Unavailable and NotFinished mean "the same again, later";
  # any other Toolstream::Refused means that something is configured wrongly.
  class ToolExecution
    # +enabled+ is asked once for each turn. +when_away+ is :run_here or :raise.
    def initialize(toolstream:, turns:, folder:, enabled: -> { true }, when_away: :run_here, within: 600)
      @toolstream = toolstream
      @turns = turns
      @folder = folder
      @enabled = enabled
      @when_away = when_away
      @within = within
    end

    # +turn+ is the id that the model's API gave its response (chatcmpl-…, resp_…, msg_…).
    def call(tool_calls, app:, message_id:, turn:, format: "openai")
      calls = JSON.parse(JSON.generate(tool_calls))
      return [] if calls.empty?

      context = Context.new(calls, app, message_id, "turn-#{message_id}-#{turn}", workspace_of(app))
      run_id, answers = @turns.open(context.key) do |record|
        run_id = hand_over(record, context)
        run_id ? [run_id] : [nil, run_here(record, context)]
      end
      return ToolMessages.for(calls.map { |call| ToolCall.from(call) }, answers, format) if run_id.nil?

      @toolstream.wait(run_id, within: @within)
      mirror(context).pull
      @toolstream.results(run_id, format: format)
    end

    Context = Struct.new(:calls, :app, :message_id, :key, :workspace)
    private_constant :Context

    private

    # The run's id; +nil+ where the calls are to run here.
    def hand_over(record, context)
      case record.executor
      when "local" then nil
      # Without a run: handed over by a process that did not live to hear the answer. Only the service knows.
      when "toolstream" then record.run_id || accepted(record, submit(context))
      else first_hand_over(record, context) if @enabled.call
      end
    end

    def first_hand_over(record, context)
      mirror(context).push
      record.update!(executor: "toolstream")
      accepted(record, submit(context))
    rescue Toolstream::RequestFailed => error
      raise unless error.nothing_accepted?

      record.update!(executor: nil)
      raise unless error.temporary? && @when_away == :run_here
    end

    def accepted(record, run)
      record.update!(run_id: run["run_id"])
      record.run_id
    end

    def submit(context)
      @toolstream.submit(
        app: context.app, message_id: context.message_id, tool_calls: context.calls, idempotency_key: context.key
      )
    end

    # One call after the other. A call is written down before it begins and its answer when it has ended, so one without
    # an answer was interrupted: it is run again only where that makes no difference.
    def run_here(record, context)
      record.update!(executor: "local")
      tools = LocalTools.new(context.workspace) { |path| mirror(context).wrote(path) }
      context.calls.each_with_index.map do |raw, index|
        call = ToolCall.from(raw)
        record.answers[index.to_s] || begin
          interrupted = record.begun.include?(index)
          record.update!(begun: record.begun | [index])
          answer = interrupted && !LocalTools.repeatable?(call.name) ? INTERRUPTED : tools.call(call)
          record.update!(answers: record.answers.merge(index.to_s => answer))
          answer
        end
      end
    end

    INTERRUPTED = {
      "error" => {
        "code" => "interrupted",
        "message" => "The tool call was interrupted and may have been applied or not. Read the file before you go on."
      }
    }.freeze
    private_constant :INTERRUPTED

    def workspace_of(app)
      raise ArgumentError, "no id of an app: #{app.inspect}" unless app.to_s.match?(/\A[A-Za-z0-9_-]{1,64}\z/)

      LocalWorkspace.new(File.join(@folder, app.to_s))
    end

    def mirror(context) = WorkspaceMirror.new(toolstream: @toolstream, app: context.app, workspace: context.workspace)
  end
end
