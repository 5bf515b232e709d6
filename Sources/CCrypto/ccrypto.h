/*
 * ccrypto.h: the parts of OpenSSL's libcrypto that EddyJobs uses.
 */
#ifndef CCRYPTO_H
#define CCRYPTO_H

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#endif
