# frozen_string_literal: true

require "erb"

module Toolstream
  # The routes that a back end needs. Safe to share between threads.
  class Client
    ENDED = %w[succeeded failed cancelled].freeze
    SERVER_TOKEN_SECONDS = 300
    FIRST_POLL = 0.1
    LONGEST_POLL = 2.0

    attr_reader :url

    # +issuer+ is who the log says submitted a run or sent a command.
    def initialize(url:, secret:, tenant:, issuer: "rails", answer_timeout: Http::ANSWER_TIMEOUT)
      @url = url
      @secret = secret
      @tenant = tenant
      @issuer = issuer
      @http = Http.new(url, answer_timeout: answer_timeout) { server_token }
    end

    # For a page: one app, nothing but what the page does, and soon over. The page fetches the next one before that.
    def page_token(app:, user:, scope: "runs:read runs:control", expires_in: 600)
      Token.mint(@secret, sub: "user-#{user}", tenant: @tenant, scope: scope, apps: [app.to_s], expires_in: expires_in)
    end

    # The tool calls of one turn, in OpenAI's, Anthropic's or Toolstream's own shape, as the model's API gave them. The
    # same key again is the same run: nothing runs twice, and the answer is the first one's.
    def submit(app:, tool_calls:, idempotency_key:, message_id: nil, mode: "sequential")
      body = { app: app.to_s, message_id: message_id&.to_s, mode: mode, tool_calls: tool_calls }.compact
      json @http.post("/v1/runs", body, idempotency_key: idempotency_key)
    end

    def run(run_id) = json(@http.get("/v1/runs/#{escape(run_id)}"))

    # Polls, slower and slower, until the run has ended. A run can wait for a person for hours: then NotFinished.
    def wait(run_id, within:)
      deadline = now + within
      pause = FIRST_POLL
      loop do
        run = run(run_id)
        return run if ENDED.include?(run["status"])
        raise NotFinished.new(run, within) if now + pause > deadline

        sleep pause
        pause = [pause * 1.5, LONGEST_POLL].min
      end
    end

    # What has happened so far, oldest first; +after+ a cursor only what came later. Each is a frame with +cursor+ and +event+.
    def events(run_id, after: nil)
      response = @http.get("/v1/runs/#{escape(run_id)}/events", { cursor: after }, accept: "application/x-ndjson")
      utf8(response.body).each_line.map { |line| JSON.parse(line) }
    end

    # Messages that the model's API takes, in call order, every call answered.
    def results(run_id, format: "openai")
      json(@http.get("/v1/runs/#{escape(run_id)}/results", { format: format }))["messages"]
    end

    # The tools that the service has, as the +tools+ parameter of openai, openai-responses or anthropic.
    def tools(format: "openai") = json(@http.get("/v1/tools", { format: format }))["tools"]

    # Give a key of your own to have the command carried out once, whatever repeats it.
    %w[pause resume cancel].each do |command|
      define_method(command) do |run_id, reason: nil, idempotency_key: SecureRandom.uuid|
        path = "/v1/runs/#{escape(run_id)}/#{command}"
        json @http.post(path, { reason: reason }.compact, idempotency_key: idempotency_key)
      end
    end

    # The files of an app's workspace: +path+, +size+, +sha256+ and who wrote them last.
    def files(app)
      return enum_for(:files, app) unless block_given?

      after = nil
      loop do
        page = json(@http.get("/v1/apps/#{escape(app)}/files", { after: after }))
        page["files"].each { |file| yield file }
        break if (after = page["next"]).nil?
      end
    end

    # A file's bytes.
    def file(app, path)
      under = path.split("/").map { |part| escape(part) }.join("/")
      @http.get("/v1/apps/#{escape(app)}/files/#{under}", accept: "*/*").body
    end

    private

    def server_token
      scope = "runs:read runs:write runs:control"
      Token.mint(@secret, sub: @issuer, tenant: @tenant, scope: scope, apps: "*", expires_in: SERVER_TOKEN_SECONDS)
    end

    def json(response) = JSON.parse(utf8(response.body))

    # Net::HTTP gives bytes, whatever the answer says that they are.
    def utf8(body) = body.dup.force_encoding(Encoding::UTF_8)

    def escape(part) = ERB::Util.url_encode(part.to_s)

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
