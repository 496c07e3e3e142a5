# frozen_string_literal: true

require "json"
require "openssl"
require "securerandom"

module Toolstream
  # JSON Web Tokens, signed with HS256 by the secret that the service has as TOOLSTREAM_JWT_SECRET.
  module Token
    def self.mint(secret, sub:, tenant:, scope:, apps:, expires_in:, now: Time.now)
      issued = now.to_i
      claims = {
        sub: sub.to_s, tenant: tenant, scope: scope, apps: apps,
        iat: issued, exp: issued + expires_in, jti: SecureRandom.uuid
      }
      signed = [{ alg: "HS256", typ: "JWT" }, claims].map { |part| base64url(JSON.generate(part)) }.join(".")
      "#{signed}.#{base64url(OpenSSL::HMAC.digest('SHA256', secret, signed))}"
    end

    def self.base64url(bytes) = [bytes].pack("m0").tr("+/", "-_").delete("=")
    private_class_method :base64url
  end
end
