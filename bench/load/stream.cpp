#include "bench/load/stream.hpp"

#include "bench/load/failure.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace bench {

namespace {

bool is_temporary(int error)
{
    return error == EAGAIN || error == EINPROGRESS || error == EINTR;
}

} // namespace

const sockaddr* server_address::get() const
{
    return reinterpret_cast<const sockaddr*>(&bytes);
}

// --- TLS

void tls_client::make_context()
{
    context_.reset(SSL_CTX_new(TLS_client_method()));
    constexpr unsigned char protocols[] = "\x08http/1.1";
    if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(context_.get(), protocols, sizeof protocols - 1) != 0)
        throw failure("OpenSSL offers no TLS 1.3");
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_read_ahead(context_.get(), 1); // one recv for a record, rather than two
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                         SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_app_data(context_.get(), this);
    if (resumes_) {
        SSL_CTX_set_session_cache_mode(context_.get(),
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
        SSL_CTX_sess_set_new_cb(context_.get(), &keep_session);
    }
}

int tls_client::keep_session(SSL* of, SSL_SESSION* session)
{
    auto self = static_cast<tls_client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)));
    self->latest_.reset(session);
    return 1; // the reference is ours now
}

crypto::openssl_ptr<SSL, &SSL_free> tls_client::make_connection(const std::string& name)
{
    if (!context_)
        make_context();
    crypto::openssl_ptr<SSL, &SSL_free> out(SSL_new(context_.get()));
    if (!out || (!name.empty() && SSL_set_tlsext_host_name(out.get(), name.c_str()) != 1))
        throw failure("OpenSSL cannot make a connection");
    if (latest_) { // a copy: OpenSSL resumes an object only once, and several connections begin at a time
        session_ptr session(SSL_SESSION_dup(latest_.get()));
        if (!session || SSL_set_session(out.get(), session.get()) != 1)
            throw failure("OpenSSL cannot resume a session");
    }
    SSL_set_connect_state(out.get());
    return out;
}

/// The socket of a stream. OpenSSL's own BIO would raise SIGPIPE when the server has closed.
struct stream::bio {
    static int socket_of(BIO* one) { return static_cast<stream*>(BIO_get_data(one))->socket_; }

    static int read(BIO* from, char* space, int size)
    {
        BIO_clear_retry_flags(from);
        auto got = ::recv(socket_of(from), space, static_cast<std::size_t>(size), 0);
        if (got < 0 && is_temporary(errno))
            BIO_set_retry_read(from);
        return static_cast<int>(got);
    }

    static int write(BIO* to, const char* bytes, int size)
    {
        BIO_clear_retry_flags(to);
        auto sent = ::send(socket_of(to), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        if (sent < 0 && is_temporary(errno))
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
            auto made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
            if (!made)
                throw failure("OpenSSL has no memory");
            BIO_meth_set_read(made, &read);
            BIO_meth_set_write(made, &write);
            BIO_meth_set_ctrl(made, &control);
            BIO_meth_set_create(made, &create);
            return made;
        }();
        return out;
    }
};

// --- connecting

bool stream::open(const server_address& where, mode how)
{
    close();
    where_ = &where;
    phase_ = phase::fresh;
    auto flags = SOCK_CLOEXEC | (how == mode::nonblocking ? SOCK_NONBLOCK : 0);
    socket_ = ::socket(where.bytes.ss_family, SOCK_STREAM | flags, 0);
    int yes = 1;
    if (socket_ >= 0)
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return socket_ >= 0;
}

stream::status stream::connect(tls_client& tls)
{
    if (phase_ == phase::fresh) {
        phase_ = phase::connecting;
        if (::connect(socket_, where_->get(), where_->size) != 0)
            return is_temporary(errno) ? status::needs_output : status::closed;
    }
    if (phase_ == phase::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            errno = error;
            return status::closed;
        }
        phase_ = phase::established;
        if (where_->uses_tls)
            start_tls(tls);
    }
    return phase_ == phase::handshake ? shake_hands() : status::done;
}

void stream::start_tls(tls_client& tls)
{
    tls_ = tls.make_connection(where_->name);
    auto link = BIO_new(bio::method());
    if (!link)
        throw failure("OpenSSL has no memory");
    BIO_set_data(link, this);
    SSL_set_bio(tls_.get(), link, link);
    phase_ = phase::handshake;
}

stream::status stream::shake_hands()
{
    ERR_clear_error();
    errno = 0;
    int code = SSL_do_handshake(tls_.get());
    if (code == 1)
        phase_ = phase::established;
    auto out = result_of(code, 0).what;
    if (out == status::closed && errno == 0)
        errno = EPROTO; // the peer refuses, or does not speak TLS 1.3
    return out;
}

void stream::close()
{
    if (tls_ && phase_ == phase::established) {
        ERR_clear_error();
        SSL_shutdown(tls_.get()); // sends close_notify, and keeps the session resumable
    }
    tls_.reset();
    if (socket_ >= 0)
        ::close(std::exchange(socket_, -1));
}

// --- transfer

stream::transfer stream::result_of(int code, std::size_t bytes)
{
    if (code == 1)
        return {status::done, bytes};
    switch (SSL_get_error(tls_.get(), code)) {
    case SSL_ERROR_WANT_READ:
        return {status::needs_input};
    case SSL_ERROR_WANT_WRITE:
        return {status::needs_output};
    default:
        return {status::closed};
    }
}

stream::transfer stream::receive(std::span<char> space)
{
    if (tls_) {
        ERR_clear_error();
        std::size_t bytes = 0;
        int code = SSL_read_ex(tls_.get(), space.data(), space.size(), &bytes);
        return result_of(code, bytes);
    }
    auto got = ::recv(socket_, space.data(), space.size(), 0);
    if (got > 0)
        return {status::done, static_cast<std::size_t>(got)};
    return {got < 0 && is_temporary(errno) ? status::needs_input : status::closed};
}

stream::transfer stream::send(std::string_view bytes)
{
    if (tls_) {
        ERR_clear_error();
        std::size_t sent = 0;
        int code = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent);
        return result_of(code, sent);
    }
    auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0)
        return {status::done, static_cast<std::size_t>(sent)};
    return {is_temporary(errno) ? status::needs_output : status::closed};
}

} // namespace bench
