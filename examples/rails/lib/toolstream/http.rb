# frozen_string_literal: true

require "json"
require "net/http"
require "openssl"
require "time"
require "uri"

module Toolstream
  # Requests with one answer. What is safe to repeat (a GET, a POST with an Idempotency-Key) is repeated when the service
  # says 429 or 503 or cannot be reached, at the time that it names, and never longer than a web process should wait.
  class Http
    ATTEMPTS = 4
    LONGEST_PAUSE = 15
    CONNECT_TIMEOUT = 2
    ANSWER_TIMEOUT = 30
    NOT_CONNECTED = [SystemCallError, SocketError, Net::OpenTimeout, OpenSSL::SSL::SSLError, EOFError].freeze
    CUT_OFF = [SystemCallError, IOError, Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError,
               Net::HTTPBadResponse].freeze

    def initialize(url, answer_timeout: ANSWER_TIMEOUT, &token)
      @base = URI(url.chomp("/"))
      @answer_timeout = answer_timeout
      @token = token
    end

    def get(path, query = {}, accept: "application/json")
      query = query.compact
      target = query.empty? ? path : "#{path}?#{URI.encode_www_form(query)}"
      repeating { send_request(Net::HTTP::Get.new(@base.path + target, headers(accept))) }
    end

    def post(path, body, idempotency_key:)
      repeating do
        request = Net::HTTP::Post.new(@base.path + path, headers("application/json"))
        request["Content-Type"] = "application/json"
        request["Idempotency-Key"] = idempotency_key
        request.body = JSON.generate(body)
        send_request(request)
      end
    end

    private

    def headers(accept) = { "Authorization" => "Bearer #{@token.call}", "Accept" => accept }

    def repeating
      doubt = false
      (1..).each do |attempt|
        return yield
      rescue RequestFailed => error
        doubt ||= !error.nothing_accepted?
        error.doubt! if doubt
        pause = pause_before_next(error, attempt)
        raise if pause.nil?

        sleep pause
      end
    end

    # Spread out, so that many processes do not come back together; +nil+ where another try is not for this request.
    def pause_before_next(error, attempt)
      return if attempt >= ATTEMPTS || !error.temporary?

      asked = error.retry_after || 0
      asked + (rand * 0.25 * (2**attempt)) if asked <= LONGEST_PAUSE
    end

    def send_request(request)
      http = connect
      begin
        response = http.request(request)
      rescue *CUT_OFF => error
        # The request may have arrived, and its answer been lost.
        raise Unreachable.new("#{@base} did not answer: #{error.message}", certain: request.is_a?(Net::HTTP::Get))
      ensure
        http.finish if http.started?
      end
      raise refusal(response) unless response.is_a?(Net::HTTPSuccess)

      response
    end

    # Apart from the request, because what does not get this far has certainly not arrived.
    def connect
      http = Net::HTTP.new(@base.host, @base.port)
      http.use_ssl = @base.scheme == "https"
      http.open_timeout = CONNECT_TIMEOUT
      http.read_timeout = http.write_timeout = @answer_timeout
      http.max_retries = 0
      http.start
    rescue *NOT_CONNECTED => error
      raise Unreachable.new("#{@base} cannot be reached: #{error.message}", certain: true)
    end

    def refusal(response)
      problem = begin
        JSON.parse(response.body.to_s)
      rescue JSON::ParserError
        nil # Not the service's own: the status has to do.
      end
      problem = {} unless problem.is_a?(Hash)
      Refused.for(
        response.code.to_i,
        problem["code"] || "http_#{response.code}",
        problem["detail"] || "#{@base} answered #{response.code} #{response.message}.",
        retry_after: seconds(response["Retry-After"])
      )
    end

    # Either a number of seconds or a date.
    def seconds(header)
      return if header.nil?

      header.match?(/\A\d+\z/) ? header.to_i : [Time.httpdate(header) - Time.now, 0].max
    rescue ArgumentError
      nil
    end
  end
end
