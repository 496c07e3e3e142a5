# frozen_string_literal: true

# A small client of Toolstream for the server side: Ruby 3.1 or newer, nothing but the standard library.
module Toolstream
end

require_relative "toolstream/errors"
require_relative "toolstream/token"
require_relative "toolstream/http"
require_relative "toolstream/client"
