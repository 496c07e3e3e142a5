# frozen_string_literal: true

module Toolstream
  # Every error has a stable +code+.
  class Error < StandardError
    attr_reader :code

    def initialize(code, message)
      super(message)
      @code = code
    end
  end

  # A request that brought nothing. What decides whether the same work may be done in another way is not that it failed,
  # but whether the service can have accepted it all the same: a lost answer is not a refusal.
  class RequestFailed < Error
    # Seconds after which the service says that trying again makes sense.
    attr_reader :retry_after

    def initialize(code, message, certain:, retry_after: nil)
      super(code, message)
      @certain = certain
      @retry_after = retry_after
    end

    # Certainly nothing was accepted, neither by this request nor by an earlier one that it repeats.
    def nothing_accepted? = @certain

    # An earlier request, which this one repeats, may have been accepted.
    def doubt! = @certain = false
  end

  # The service answered and refused: a problem of RFC 9457 with its +code+, or whatever a proxy made of it.
  class Refused < RequestFailed
    attr_reader :status

    def self.for(status, ...) = (status == 429 || status >= 500 ? Unavailable : Refused).new(status, ...)

    def initialize(status, code, message, retry_after: nil, certain: true)
      super(code, message, certain: certain, retry_after: retry_after)
      @status = status
    end

    def temporary? = false
  end

  # Not now, perhaps later. A 5xx may be said by a proxy, or by a service that did not hear of its own success; that too
  # much was asked, or that the log is full, is said before anything is done.
  class Unavailable < Refused
    def initialize(status, code, message, retry_after: nil)
      super(status, code, message, retry_after: retry_after, certain: status == 429 || code == "log_full")
    end

    def temporary? = true
  end

  # No answer came.
  class Unreachable < RequestFailed
    def initialize(message, certain:) = super("unreachable", message, certain: certain)

    def temporary? = true
  end

  # The run goes on: wait for it again later.
  class NotFinished < Error
    attr_reader :run

    def initialize(run, seconds)
      super("not_finished", "The run #{run['run_id']} is #{run['status']} after #{seconds} s; it goes on.")
      @run = run
    end
  end
end
