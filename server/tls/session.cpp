#include "server/tls/session.hpp"

#include <boost/asio/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace server {

namespace asio = boost::asio;
using boost::system::error_code;
using handlers::handshake;

namespace {

/// The first byte of an alert of the peer that ended the handshake, in OpenSSL's numbers of reasons.
constexpr int first_alert = SSL_AD_REASON_OFFSET;

handshake outcome_of(int reason)
{
    switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_SPECIFIED:
    case SSL_R_NO_COMPRESSION_SPECIFIED:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_MISSING_SUPPORTED_GROUPS_EXTENSION:
    case SSL_R_MISSING_SIGALGS_EXTENSION:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
        return handshake::unsupported;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_BAD_SIGNATURE:
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
        return handshake::client_certificate;
    default:
        return reason >= first_alert ? handshake::rejected : handshake::malformed;
    }
}

} // namespace

/// The BIO of a connection: hands out the received bytes, and sends to the socket.
struct tls_session::bio {
    static tls_session& session(BIO* of) { return *static_cast<tls_session*>(BIO_get_data(of)); }

    static int read(BIO* from, char* space, int size)
    {
        auto& self = session(from);
        BIO_clear_retry_flags(from);
        if (self.input_.empty()) {
            BIO_set_retry_read(from);
            return -1;
        }
        auto taken = std::min(self.input_.size(), static_cast<std::size_t>(size));
        std::memcpy(space, self.input_.data(), taken);
        self.input_.remove_prefix(taken);
        // What OpenSSL's buffer has no space for, next to a part of a large record, gives way to the
        // plaintext.
        try {
            if (!self.input_.empty())
                self.keep_input();
        } catch (const std::bad_alloc&) { // which must not pass through OpenSSL; ends the connection
            return -1;
        }
        return static_cast<int>(taken);
    }

    static int write(BIO* to, const char* bytes, int size)
    {
        BIO_clear_retry_flags(to);
        auto sent = ::send(session(to).socket_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            BIO_set_retry_write(to);
        return static_cast<int>(sent);
    }

    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static int create(BIO* one)
    {
        BIO_set_init(one, 1);
        return 1;
    }

    /// Made once, never freed.
    static const BIO_METHOD* method()
    {
        static BIO_METHOD* const out = [] {
            auto made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
            if (!made)
                throw std::bad_alloc();
            BIO_meth_set_read(made, &read);
            BIO_meth_set_write(made, &write);
            BIO_meth_set_ctrl(made, &control);
            BIO_meth_set_create(made, &create);
            return made;
        }();
        return out;
    }
};

tls_session::tls_session(std::shared_ptr<const tls_context> context, int socket)
    : context_(std::move(context)), connection_(SSL_new(context_->native())), socket_(socket)
{
    auto link = connection_ ? BIO_new(bio::method()) : nullptr;
    if (!link)
        throw std::bad_alloc();
    BIO_set_data(link, this);
    SSL_set_bio(connection_.get(), link, link);
    SSL_set_accept_state(connection_.get());
}

tls_session::state tls_session::shake_hands(std::string_view received)
{
    if (!received.empty()) {
        input_ = received;
        is_borrowed_ = true;
    }
    ERR_clear_error();
    auto result = SSL_do_handshake(connection_.get());
    keep_input(); // what is left belongs to the first request
    if (result == 1) {
        outcome_ = SSL_session_reused(connection_.get()) ? handshake::resumed : handshake::full;
        return state::established;
    }
    switch (SSL_get_error(connection_.get(), result)) {
    case SSL_ERROR_WANT_READ:
        return state::needs_input;
    case SSL_ERROR_WANT_WRITE:
        return state::needs_output;
    default:
        fail();
        return state::failed;
    }
}

/// Copy what is left of borrowed bytes.
void tls_session::keep_input()
{
    if (!std::exchange(is_borrowed_, false))
        return;
    left_over_.assign(input_);
    input_ = left_over_;
}

/// Record OpenSSL's last error: the one of its TLS, for which others may be the cause.
void tls_session::fail()
{
    has_failed_ = true;
    auto error = ERR_peek_last_error();
    auto reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    outcome_ = error == 0 ? handshake::disconnected : reason == 0 ? handshake::other : outcome_of(reason);
    auto text = ERR_reason_error_string(error);
    failure_ = text ? text : "";
    auto verified = SSL_get_verify_result(connection_.get());
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
        failure_ = X509_verify_cert_error_string(verified);
    ERR_clear_error();
}

std::size_t tls_session::decrypt(asio::mutable_buffer space, std::size_t received, error_code& error)
{
    if (error)
        return 0;
    if (received > 0) {
        input_ = {static_cast<const char*>(space.data()), received};
        is_borrowed_ = true;
    }
    std::size_t size = 0;
    ERR_clear_error();
    auto result = SSL_read_ex(connection_.get(), space.data(), space.size(), &size);
    if (result == 1) {
        needs_input_ = input_.empty() && SSL_has_pending(connection_.get()) == 0;
        return size;
    }
    switch (SSL_get_error(connection_.get(), result)) {
    case SSL_ERROR_WANT_READ:
        needs_input_ = true;
        break;
    case SSL_ERROR_ZERO_RETURN: // close_notify
        error = asio::error::eof;
        break;
    default: // also for a client that requests an update of keys, and does not read the answer to the last
             // one
        fail();
        error = asio::error::connection_reset;
        break;
    }
    return 0;
}

std::size_t tls_session::write(std::string_view bytes, error_code& error)
{
    std::size_t sum = 0;
    while (sum < bytes.size()) {
        std::size_t size = 0; // of one record, at most 16 KiB
        ERR_clear_error();
        auto result = SSL_write_ex(connection_.get(), bytes.data() + sum, bytes.size() - sum, &size);
        sum += size;
        if (result == 1)
            continue;
        if (SSL_get_error(connection_.get(), result) != SSL_ERROR_WANT_WRITE) {
            fail();
            error = asio::error::broken_pipe;
        }
        break;
    }
    return sum;
}

void tls_session::close()
{
    auto one = connection_.get();
    if (has_failed_ || !SSL_is_init_finished(one) || (SSL_get_shutdown(one) & SSL_SENT_SHUTDOWN) != 0)
        return;
    ERR_clear_error();
    SSL_shutdown(one);
}

} // namespace server
